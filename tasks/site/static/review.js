// The review page: trades the link's secret for a short session, shows what waits, and posts one decision at a time.
// Nothing is decided by loading, scrolling or looking; every answer of the server is shown as it is.

const $ = (id) => document.getElementById(id)
const link = location.pathname.split('/')[2] || ''
const marks = {
  approve: 'm4.5 12.5 5 5 10-11',
  reject: 'm6 6 12 12M18 6 6 18',
  other: 'M12 6v7m0 4v.5',
  live: 'M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15',
}
// Why an answer ends the work on this page, and what the page then has as its title.
const ends = { closed: 'Please open the link again', removed: 'This link cannot be opened', revoked: 'This link cannot be opened' }
const looks = { approved: 'approve', published: 'approve', 'taken-down': 'other', rejected: 'reject', expired: 'other', failed: 'other', other: 'other' }

let secret = location.hash.slice(1)
let desk = { items: [], nonce: '', more: 0 }
let current = 0
let freshUntil = 0
let busy = false
const seen = new Set() // sensitive items that were asked for

// The secret leaves the address bar at once: not in the history, not in a screenshot, not in a shared address.
if (location.hash) history.replaceState(null, '', location.pathname)

// --- talking to the server ---

async function post(action, body) {
  let answer
  try {
    answer = await fetch(`/review/${link}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
    })
  } catch {
    return { status: 0, error: 'The gallery could not be reached. Please check your connection and try again.' }
  }
  try {
    return { status: answer.status, ...(await answer.json()) }
  } catch {
    return { status: answer.status, error: 'The gallery gave no answer that this page understands. Please try again.' }
  }
}

async function open(code = '') {
  const answer = await post('open', secret ? { secret, code } : {})
  if (answer.state === 'open') return enter(answer)
  if (answer.state === 'code' || answer.state === 'wrong-code') return askCode(answer)
  gate('This link cannot be opened', answer.error)
  $('again').hidden = answer.status !== 0 && answer.status < 500
}

function enter(answer) {
  secret = '' // the session cookie stands for it now
  take(answer)
  const first = desk.items.findIndex(waits)
  if (first < 0) return finish()
  show(first)
}

function take(answer) {
  desk = answer
  freshUntil = Date.now() + answer.refresh_seconds * 800
}

// Previews are signed for minutes only; the session goes on by use, never by itself.
async function refresh() {
  const id = desk.items[current]?.id
  const answer = await post('open', {})
  if (answer.state !== 'open') return closed(answer)
  take(answer)
  current = Math.max(0, desk.items.findIndex((item) => item.id === id))
  return true
}

function closed(answer) {
  if (answer.status === 0 || answer.status >= 500) {
    notice(answer.error)
  } else {
    gate(ends[answer.state] || ends.closed, answer.error)
  }
  return false
}

// --- before the link is open ---

function gate(title, message) {
  panel('gate')
  $('gate-title').textContent = title
  $('gate-message').textContent = message
  $('code-form').hidden = true
  $('again').hidden = true
}

function askCode(answer) {
  const left = answer.tries_left
  gate(
    answer.state === 'code' ? 'Your code, please' : 'Not quite',
    answer.state === 'code'
      ? 'This device has not been used for reviews yet. The six digits stand in the mail, below the button.'
      : `${answer.error} ${left === 1 ? 'One try is' : `${left} tries are`} left.`,
  )
  $('code-form').hidden = false
  $('code').value = ''
  $('code').focus()
}

$('code-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const code = $('code').value.replace(/\D/g, '')
  if (code.length !== 6) {
    $('gate-message').textContent = 'The code has six digits.'
    return $('code').focus()
  }
  const button = event.submitter || $('code-form').querySelector('button')
  button.disabled = true
  await open(code)
  button.disabled = false
})
$('again').addEventListener('click', () => open())

// --- showing ---

const waits = (item) => item.standing.state === 'pending'

function panel(name) {
  for (const id of ['gate', 'desk', 'done']) $(id).hidden = id !== name
  $('progress').hidden = $('meter').hidden = name === 'gate'
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  path.setAttribute('d', marks[name])
  svg.append(path)
  return svg
}

async function show(index) {
  if (Date.now() > freshUntil && !(await refresh())) return
  current = Math.min(Math.max(index, 0), desk.items.length - 1)
  if ($('desk').dataset.shown !== desk.items[current].id) scrollTo(0, 0)
  $('desk').dataset.shown = desk.items[current].id
  panel('desk')
  const item = desk.items[current]
  $('title').textContent = item.title
  $('facts').textContent = factsLine(item)
  $('warning').hidden = !item.sensitive
  $('warning').textContent = `Marked as sensitive: ${item.moderation.map((label) => `${label.name} ${label.confidence}%`).join(', ')}`
  $('labels').replaceChildren(...item.labels.slice(0, 8).map((label) => make('li', { textContent: label.name, title: `${label.confidence}% sure` })))
  $('more').replaceChildren(...details(item).flatMap(([name, value]) => [make('dt', { textContent: name }), make('dd', { textContent: value })]))
  stage(item)
  standing(item)
  strip()
  progress()
}

function stage(item) {
  const { preview } = item
  if (item.sensitive && !seen.has(item.id)) return $('stage').replaceChildren(...veiled(item))
  if (item.kind === 'video' && preview.src) return $('stage').replaceChildren(film(item))
  if (item.kind === 'image' && preview.src) return $('stage').replaceChildren(...picture(item))
  if (item.kind === 'document' && preview.src) return $('stage').replaceChildren(recording(item))
  const label = (item.format || item.filename.split('.').pop() || 'file').slice(0, 5).toUpperCase()
  $('stage').replaceChildren(
    make('div', { className: 'paper' }, make('span', { className: 'sheet-of', textContent: label }), make('a', { className: 'button', href: preview.href, textContent: `Download ${size(item.bytes)}`, rel: 'noreferrer' })),
  )
}

function veiled(item) {
  const button = make('button', { className: 'button', type: 'button', textContent: 'Show it' })
  button.addEventListener('click', () => {
    seen.add(item.id)
    show(current)
  })
  const veil = make('div', { className: 'veil' }, make('span', { textContent: 'Marked as sensitive' }), button)
  // Not the picture behind a filter, but the placeholder of a few pixels: nothing else is loaded before it is asked for.
  return item.placeholder ? [make('img', { className: 'blurred', src: item.placeholder, alt: '' }), veil] : [veil]
}

function picture(item) {
  const { preview } = item
  const image = make('img', { className: 'picture', alt: item.title, width: preview.width, height: preview.height, sizes: '(min-width: 60rem) 70vw, 100vw' })
  image.style.setProperty('--r', preview.width / preview.height)
  image.addEventListener('load', () => image.classList.add('loaded'), { once: true })
  image.addEventListener('error', () => broken(item, image), { once: true })
  image.srcset = preview.srcset
  image.src = preview.src
  const ground = item.placeholder ? [make('img', { className: 'ground', src: item.placeholder, alt: '' })] : []
  return [...ground, image, ...(preview.live ? moving(item, image) : [])]
}

// The film of a Live Photo: once by itself, again under a pointer; its badge plays it with its sound, if it has any.
function moving(item, image) {
  const video = make('video', { className: 'moving', src: item.preview.live, muted: true, playsInline: true, preload: 'auto', hidden: true })
  const badge = make('button', { className: 'live', type: 'button', title: 'Play it, with its sound' }, icon('live'), 'Live')
  const rest = () => Object.assign(video, { hidden: true })
  const play = (muted) => {
    Object.assign(video, { muted, currentTime: 0, hidden: false })
    video.play().catch(rest)
  }
  video.addEventListener('ended', rest)
  video.addEventListener('error', () => broken(item, video), { once: true })
  badge.addEventListener('click', () => play(false))
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return [video, badge]
  image.addEventListener('pointerenter', () => video.hidden && play(true))
  video.addEventListener('canplaythrough', () => play(true), { once: true })
  return [video, badge]
}

function film(item) {
  const { preview } = item
  const video = make('video', { src: preview.src, poster: preview.poster, controls: true, playsInline: true, preload: 'metadata' })
  video.addEventListener('error', () => broken(item, video), { once: true })
  return video
}

function recording(item) {
  const { preview } = item
  const image = make('img', { src: preview.poster, alt: '' })
  const audio = make('audio', { src: preview.src, controls: true, preload: 'metadata' })
  // What this browser does not play can still be taken home and heard there.
  audio.addEventListener('error', () => audio.remove(), { once: true })
  const take = make('a', { className: 'button quiet', href: preview.href, textContent: `Download ${size(item.bytes)}`, rel: 'noreferrer' })
  return make('div', { className: 'recording' }, image, audio, take)
}

// A signed link that ran out is signed anew, once; what still does not load is said.
async function broken(item, element) {
  if (item.retried) return element.replaceWith(make('p', { className: 'facts', textContent: 'The preview could not be loaded.' }))
  if (!(await refresh())) return
  const same = desk.items[current]
  if (same?.id !== item.id) return
  same.retried = true
  stage(same)
}

function standing(item) {
  const open = waits(item)
  $('act').hidden = !open
  $('go-on').hidden = open || !desk.items.some(waits)
  $('verdict').hidden = open
  $('verdict').replaceChildren(item.standing.message)
  if (item.standing.url) $('verdict').append(' ', make('a', { href: item.standing.url, textContent: 'See it there' }))
}

function thumb(item, tag = 'button') {
  const box = make(tag, { className: 'thumb', title: item.title })
  if (tag === 'button') box.type = 'button'
  const source = item.sensitive && !seen.has(item.id) ? item.placeholder : item.preview.thumb
  if (source) box.append(make('img', { src: source, alt: '', loading: 'lazy', className: item.sensitive && !seen.has(item.id) ? 'blurred' : '' }))
  else box.append((item.format || 'file').slice(0, 5).toUpperCase())
  const mark = looks[item.standing.state]
  if (mark) box.append(make('span', { className: 'mark' }, icon(mark)))
  return box
}

function strip() {
  const boxes = desk.items.map((item, index) => {
    const box = thumb(item)
    box.setAttribute('aria-label', `${index + 1}: ${item.title}, ${item.standing.state}`)
    if (index === current) box.setAttribute('aria-current', 'true')
    box.addEventListener('click', () => go(index))
    return make('li', {}, box)
  })
  $('strip').replaceChildren(...boxes)
  $('strip').parentElement.hidden = desk.items.length < 2
  const here = boxes[current]
  if (here) $('strip').scrollLeft = here.offsetLeft - $('strip').clientWidth / 2 + here.clientWidth / 2
  const many = bulkable().length
  $('bulk').hidden = many < 2
  $('bulk').textContent = `Approve the remaining ${many}`
}

function progress() {
  const decided = desk.items.filter((item) => !waits(item)).length
  $('progress').textContent = `${decided} of ${desk.items.length} decided`
  $('meter').max = desk.items.length
  $('meter').value = decided
}

function go(index) {
  notice('')
  show(index)
}

function notice(text) {
  $('notice').hidden = !text
  $('notice').textContent = text
}

function finish() {
  panel('done')
  progress()
  const published = desk.items.filter((item) => looks[item.standing.state] === 'approve').length
  $('done-title').textContent = desk.items.length ? 'All decided. Thank you!' : 'Nothing is waiting'
  $('done-message').textContent = desk.items.length ? `${published} approved, ${desk.items.length - published} not. You can close this page.` : 'What this mail was about is no longer here.'
  $('list').replaceChildren(
    ...desk.items.map((item) => {
      const said = make('span', { textContent: item.standing.message })
      if (item.standing.url) said.append(' ', make('a', { href: item.standing.url, textContent: 'See it there' }))
      return make('li', {}, thumb(item, 'span'), make('b', { textContent: item.title }), said)
    }),
  )
  $('load-more').hidden = !desk.more
  $('load-more').textContent = `Show the next ${desk.more}`
  $('done-title').focus()
}
$('load-more').addEventListener('click', async () => (await refresh()) && enter(desk))

// --- words ---

const factsLine = (item) => [item.album, item.contributor && `from ${item.contributor}`].filter(Boolean).join(', ')

function details(item) {
  const shape = item.width && item.height ? `${item.width} × ${item.height}` : ''
  return [
    ['File', item.filename],
    ['Type', [item.preview.live ? 'Live Photo' : '', item.format.toUpperCase(), shape, item.duration ? length(item.duration) : '', size(item.bytes)].filter(Boolean).join(' · ')],
    ['Taken', item.taken_at ? taken(item.taken_at) : ''],
    ['Camera', item.camera],
    ['Lens', item.lens],
    ['Exposure', item.exposure],
    ['Note', item.note],
    ['Arrived', when(item.received_at)],
  ].filter(([, value]) => value)
}

const when = (iso) => new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
// The camera's own clock, as it stood: no guess at a zone.
const taken = (iso) => iso.replace('T', ' ').slice(0, 16)

// As tasks/core/text.py writes sizes.
function size(bytes) {
  if (bytes < 1000) return `${bytes} byte${bytes === 1 ? '' : 's'}`
  const [unit, each] = [['kB', 1e3], ['MB', 1e6], ['GB', 1e9]].find(([, each]) => bytes < 999.5 * each) || ['TB', 1e12]
  const value = bytes / each
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`
}

function length(seconds) {
  const whole = Math.round(seconds)
  const two = (number) => String(number).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

// --- deciding ---

// 'mine' or 'told' when the item's fate is known now, 'changed' when it is no longer what was shown.
async function decide(item, verdict, reason = '') {
  const answer = await post('decide', { nonce: desk.nonce, item: item.id, verdict, reason, sha256: item.sha256 })
  if (answer.standing) item.standing = answer.standing
  if (ends[answer.state]) closed(answer)
  else if (answer.outcome !== 'recorded') notice(answer.notice || answer.error)
  $('said').textContent = answer.message || answer.error
  if (answer.outcome === 'changed') return 'changed'
  return answer.outcome === 'recorded' || answer.outcome === 'repeated' ? 'mine' : answer.standing ? 'told' : 'unknown'
}

async function decideCurrent(verdict, reason) {
  const item = desk.items[current]
  if (busy || !item || !waits(item)) return
  working(true)
  notice('')
  const came = await decide(item, verdict, reason)
  // Whoever came second stays and reads why; whoever decided goes on; what changed meanwhile is shown anew.
  if (came === 'changed') {
    if (await refresh()) show(current)
  } else if (!$('desk').hidden) {
    if (came === 'mine') onward()
    else show(current)
  }
  // The second half of a double click must not fall on the next picture.
  await new Promise((done) => setTimeout(done, 400))
  working(false)
}

function working(now) {
  busy = now
  for (const id of ['approve', 'reject', 'bulk', 'bulk-yes']) $(id).disabled = now
}

function onward() {
  const order = [...desk.items.keys()].map((step) => (current + step) % desk.items.length)
  const following = order.find((index) => waits(desk.items[index]))
  if (following === undefined) return finish()
  show(following)
}

$('approve').addEventListener('click', () => decideCurrent('approve'))
$('reject').addEventListener('click', askReason)
$('next').addEventListener('click', () => {
  notice('')
  onward()
})

function askReason() {
  if (busy || !waits(desk.items[current])) return
  $('reason').value = ''
  for (const chip of $('chips').children) chip.setAttribute('aria-pressed', 'false')
  $('reject-dialog').returnValue = ''
  $('reject-dialog').showModal()
}

$('chips').addEventListener('click', (event) => {
  const chip = event.target.closest('.chip')
  if (!chip) return
  for (const each of $('chips').children) each.setAttribute('aria-pressed', String(each === chip))
  $('reason').value = chip.textContent
})
$('reject-dialog').addEventListener('close', () => {
  if ($('reject-dialog').returnValue === 'reject') decideCurrent('reject', $('reason').value)
})

// Sensitive items that nobody has looked at are never approved in bulk.
const bulkable = () => desk.items.filter((item) => waits(item) && (!item.sensitive || seen.has(item.id)))

$('bulk').addEventListener('click', () => {
  const items = bulkable()
  const left = desk.items.filter(waits).length - items.length
  $('bulk-title').textContent = `Approve all ${items.length} of these?`
  $('bulk-message').textContent = `They will be in the gallery for everybody to see.${left ? ` ${left} marked as sensitive ${left === 1 ? 'stays' : 'stay'} for you to look at.` : ''}`
  $('bulk-sheet').replaceChildren(...items.map((item) => make('li', {}, thumb(item, 'span'))))
  $('bulk-yes').textContent = `Approve ${items.length}`
  $('bulk-dialog').returnValue = ''
  $('bulk-dialog').showModal()
})

$('bulk-dialog').addEventListener('close', async () => {
  if ($('bulk-dialog').returnValue !== 'approve' || busy) return
  working(true)
  notice('')
  const others = []
  const changed = []
  for (const item of bulkable()) {
    const came = await decide(item, 'approve')
    if (came === 'unknown' || $('desk').hidden) break
    if (came === 'told') others.push(item.title)
    if (came === 'changed') changed.push(item.title)
    strip()
    progress()
  }
  working(false)
  if ($('desk').hidden) return
  if (changed.length && !(await refresh())) return
  const said = [
    others.length && `Not approved by you, because another decision came first: ${others.join(', ')}.`,
    changed.length && `Not approved, because something was added since you looked: ${changed.join(', ')}. Please look again.`,
  ]
  notice(said.filter(Boolean).join(' '))
  if (others.length) show(current)
  else onward()
})

document.addEventListener('keydown', (event) => {
  if ($('desk').hidden || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
  if (event.target.closest('input, textarea, video, audio')) return
  const key = event.key.toLowerCase()
  if (key === 'arrowright') go((current + 1) % desk.items.length)
  else if (key === 'arrowleft') go((current - 1 + desk.items.length) % desk.items.length)
  else if (key === 'a' && !event.repeat) decideCurrent('approve')
  else if (key === 'r' && !event.repeat) askReason()
  else return
  event.preventDefault()
})

open()
