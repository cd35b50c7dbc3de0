// The upload page: choose files, see each one's progress, be told in words what became of it.
import Uppy, { BasePlugin } from '@uppy/core'
import { fetcher, filterFilesToEmitUploadStarted, filterFilesToUpload, TaskQueue } from '@uppy/core/utils'
import Dashboard from '@uppy/dashboard'

const AT_ONCE = 3
const STALLED = 60_000
const REMEMBERED = 'greenroom-name'
// Drawings and pages that can run scripts are never shown; saying so at once is kinder than after the upload.
const NEVER = /\.(svgz?|html?|xhtml|js|exe|bat|cmd|com|msi|scr|ps1|vbs|lnk|apk|dmg)$/i

const form = document.querySelector('#upload')
const album = form.elements.album
const name = form.elements.name
const limits = { image: Number(form.dataset.imageBytes), video: Number(form.dataset.videoBytes) }

// Posts each file with a form that is signed when its turn comes: forty files on a slow phone outlive a signature.
class PresignedPost extends BasePlugin {
  id = 'PresignedPost'
  type = 'uploader'
  queue = new TaskQueue({ concurrency: AT_ONCE })

  install() {
    this.uppy.addUploader(this.upload)
  }

  uninstall() {
    this.uppy.removeUploader(this.upload)
  }

  upload = async (ids) => {
    const files = filterFilesToUpload(this.uppy.getFilesByIds(ids))
    this.uppy.emit('upload-start', filterFilesToEmitUploadStarted(files))
    await Promise.allSettled(files.map((file) => this.queue.add(() => this.send(file))))
  }

  async send(file) {
    if (!this.uppy.getFile(file.id)) return
    const stop = new AbortController()
    const removed = (gone) => gone.id === file.id && stop.abort()
    const all = () => stop.abort()
    this.uppy.on('file-removed', removed)
    this.uppy.on('cancel-all', all)
    try {
      const xhr = await post(file, await sign(file, stop.signal), stop.signal, (loaded) => this.progress(file, loaded))
      this.uppy.emit('upload-success', this.uppy.getFile(file.id), { status: xhr.status, body: {} })
    } catch (fault) {
      if (fault.name !== 'AbortError') this.uppy.emit('upload-error', this.uppy.getFile(file.id), explained(fault))
    } finally {
      this.uppy.off('file-removed', removed)
      this.uppy.off('cancel-all', all)
    }
  }

  progress(file, loaded) {
    const known = this.uppy.getFile(file.id)
    if (!known) return
    const { uploadStarted } = known.progress
    this.uppy.emit('upload-progress', known, { uploadStarted: uploadStarted ?? 0, bytesUploaded: Math.min(loaded, file.size), bytesTotal: file.size })
  }
}

async function sign(file, signal) {
  const asked = { album: file.meta.album, name: file.meta.contributor, filename: file.name, type: file.type ?? '', size: file.size }
  const answer = await fetch(form.dataset.sign, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
    signal,
  })
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(body.error ?? 'The gallery did not answer. Please try again in a minute.')
  return body
}

function post(file, signed, signal, onProgress) {
  const body = new FormData()
  for (const [field, value] of Object.entries(signed.fields)) body.append(field, value)
  body.append('file', file.data) // S3 ignores every field after the file
  return fetcher(signed.url, {
    method: 'POST',
    body,
    signal,
    timeout: STALLED,
    retries: 4,
    shouldRetry: (xhr) => xhr.status === 0 || xhr.status === 429 || xhr.status >= 500,
    onUploadProgress: (event) => onProgress(event.loaded),
  })
}

// S3 answers in XML; what it means for the person with the phone is said here.
function explained(fault) {
  const answer = fault.request?.responseText ?? ''
  if (answer.includes('EntityTooLarge')) return new Error('This file is larger than the gallery accepts.')
  if (answer.includes('EntityTooSmall')) return new Error('This file is empty.')
  if (fault.request?.status === 403) return new Error('This took too long to start. Please press retry.')
  if (fault.request || fault instanceof TypeError) return new Error('The connection was lost. Please press retry.')
  return fault
}

const touch = matchMedia('(pointer: coarse)').matches
const uppy = new Uppy({
  autoProceed: false,
  allowMultipleUploadBatches: true,
  onBeforeFileAdded: (file) => refuse(file.name, unfit(file)),
  onBeforeUpload: () => ready(),
  locale: { strings: { noDuplicates: '%{fileName} is in the list already' } },
})
  .use(Dashboard, {
    inline: true,
    target: '#files',
    width: '100%',
    height: 400,
    theme: 'auto',
    fileManagerSelectionType: 'files',
    proudlyDisplayPoweredByUppy: false,
    doneButtonHandler: null,
    disableInformer: true, // what it says for five seconds stays in the list of refusals here
    locale: {
      strings: {
        dropPasteFiles: touch ? '%{browseFiles}' : 'Drop photos, videos and files here %{browseFiles}',
        browseFiles: touch ? 'Choose photos and videos' : 'Choose files',
        complete: 'Sent. Waiting for approval',
        uploadComplete: 'Sent, waiting for approval',
        dashboardTitle: 'Files to send',
        uploadXFiles: { 0: 'Send %{smart_count} file', 1: 'Send %{smart_count} files' },
        uploadXNewFiles: { 0: 'Send %{smart_count} more file', 1: 'Send %{smart_count} more files' },
        uploadFailed: 'Some files were not sent',
        uploading: 'Sending',
        uploadingXFiles: { 0: 'Sending %{smart_count} file', 1: 'Sending %{smart_count} files' },
      },
    },
  })
  .use(PresignedPost)

function unfit(file) {
  const video = (file.type ?? '').startsWith('video/')
  const most = video ? limits.video : limits.image
  if (NEVER.test(file.name)) return 'This type can run programs, so it cannot be shown. Photos, videos and documents are fine.'
  if (file.data.size === 0) return 'This file is empty.'
  if (file.data.size > most) return `Too large. ${video ? 'Videos' : 'Photos and files'} may have up to ${megabytes(most)}.`
  return ''
}

const megabytes = (bytes) => (bytes >= 1e9 ? `${Number((bytes / 1e9).toFixed(1))} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`)

function refuse(filename, reason) {
  if (!reason) return true
  let list = document.querySelector('.refused')
  if (!list) {
    list = document.createElement('ul')
    list.className = 'refused'
    list.setAttribute('role', 'alert')
    document.querySelector('#files').after(list)
  }
  const row = document.createElement('li')
  const which = document.createElement('strong')
  which.dir = 'auto'
  which.textContent = filename
  row.append(which, document.createTextNode(reason))
  list.append(row)
  return false
}

// The album is asked for once, when it is needed: files that were chosen stay chosen.
function ready() {
  const title = album.value.trim()
  document.querySelector('#album-wrong').hidden = Boolean(title)
  album.setAttribute('aria-invalid', String(!title))
  if (!title) {
    album.focus()
    return false
  }
  remember(name.value.trim())
  const files = uppy.getFiles().filter((file) => !file.progress.uploadComplete)
  for (const file of files) uppy.setFileMeta(file.id, { album: title, contributor: name.value.trim() })
  return true
}

function remember(who) {
  try {
    localStorage.setItem(REMEMBERED, who)
  } catch {
    // A private window keeps nothing; the name is typed again next time.
  }
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? ''
  } catch {
    return ''
  }
}

// What is true now: the files are here. Whether they are accepted is for others to say.
function arrived(files) {
  if (!files.length) return
  const many = files.length === 1 ? '1 file has arrived' : `${files.length} files have arrived`
  const box = document.createElement('div')
  const head = Object.assign(document.createElement('h2'), { textContent: many })
  const text = document.createElement('p')
  const where = document.createElement('bdi')
  where.textContent = files[0].meta.album
  text.append('Waiting for approval for ', where, '. They are checked first, and then somebody looks at them. Until then nobody else sees them. You can close this page.')
  box.append(head, text)
  const sent = document.querySelector('#sent')
  sent.replaceChildren(box)
  sent.hidden = false
}

let awake
async function stayAwake(on) {
  await awake?.release().catch(() => {})
  awake = on ? await navigator.wakeLock?.request('screen').catch(() => undefined) : undefined
}

uppy.on('upload', () => stayAwake(true))
uppy.on('complete', ({ successful }) => {
  stayAwake(false)
  arrived(successful)
})
uppy.on('restriction-failed', (file, error) => file && !error.message.includes('onBeforeFileAdded') && refuse(file.name, error.message))
uppy.on('upload-error', (file, error) => file && refuse(file.name, error.message))
uppy.on('retry-all', () => document.querySelector('.refused')?.remove())
uppy.on('upload-retry', () => document.querySelector('.refused')?.remove())
window.addEventListener('beforeunload', (event) => {
  if (uppy.getFiles().some((file) => file.progress.uploadStarted && !file.progress.uploadComplete && !file.error)) event.preventDefault()
})
form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (uppy.getFiles().length) uppy.upload()
})
album.addEventListener('input', () => album.value.trim() && (document.querySelector('#album-wrong').hidden = true))
album.value ||= (new URLSearchParams(location.search).get('album') ?? '').slice(0, 80)
name.value ||= remembered()
