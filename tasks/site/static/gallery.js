// The gallery beyond its HTML: a lightbox for grids, what moves under the pointer, arrow keys between items.
import PhotoSwipeLightbox from 'photoswipe/lightbox'

const OPENABLE = '.shot:not(:has(.veil input:not(:checked))) a.open[data-src]'

for (const grid of document.querySelectorAll('[data-lightbox]')) openInLightbox(grid)
for (const link of document.querySelectorAll('a.open[data-glimpse]')) glimpse(link.closest('.shot'), link.dataset.glimpse)
for (const frame of document.querySelectorAll('.frame[data-live]')) glimpse(frame, frame.dataset.live)
document.addEventListener('keydown', turnPage)

function openInLightbox(grid) {
  const lightbox = new PhotoSwipeLightbox({
    gallery: grid,
    children: OPENABLE,
    pswpModule: () => import('photoswipe'),
    bgOpacity: 1,
    wheelToZoom: true,
    arrowPrevTitle: 'Newer',
    arrowNextTitle: 'Older',
    errorMsg: 'This picture could not be loaded. Please check your connection.',
    paddingFn: (size) => (size.x < 720 ? { top: 0, bottom: 64, left: 0, right: 0 } : { top: 24, bottom: 64, left: 64, right: 64 }),
  })
  lightbox.addFilter('domItemData', (data, element, link) => {
    const { src, srcset, width, height, film, type } = link.dataset
    const image = link.querySelector('img')
    Object.assign(data, { src, srcset, width: Number(width), height: Number(height), msrc: image?.currentSrc, alt: image?.alt })
    return film ? { ...data, type: 'film', film, filmType: type, src: undefined, srcset: undefined } : data
  })
  // A veiled item's link leads to its page, never into the lightbox.
  lightbox.addFilter('clickedIndex', (index, event) => (event.target.closest?.(OPENABLE) ? index : -1))
  films(lightbox)
  lightbox.on('uiRegister', () => lightbox.pswp.ui.registerElement({ name: 'words', appendTo: 'root', onInit: words }))
  lightbox.init()
}

// Title and a way to the item's own page, with its labels and its download.
function words(element, pswp) {
  element.className = 'pswp__words'
  const link = document.createElement('a')
  element.append(link)
  pswp.on('change', () => {
    const from = pswp.currSlide.data.element
    link.href = from?.href ?? '#'
    link.textContent = from?.querySelector('.name')?.textContent ?? ''
    link.dir = 'auto'
  })
}

function films(lightbox) {
  lightbox.addFilter('useContentPlaceholder', (use, content) => (content.type === 'film' ? true : use))
  lightbox.on('contentLoad', (event) => {
    const { content } = event
    if (content.type !== 'film') return
    event.preventDefault()
    const video = document.createElement('video')
    Object.assign(video, { controls: true, playsInline: true, preload: 'metadata', src: content.data.film, poster: content.data.msrc ?? '' })
    video.className = 'pswp__film'
    content.element = document.createElement('div')
    content.element.append(video)
    content.state = 'loaded'
    content.onLoaded()
  })
  const film = (content) => content?.element?.querySelector?.('video')
  lightbox.on('contentActivate', ({ content }) => film(content)?.play().catch(() => {}))
  lightbox.on('contentDeactivate', ({ content }) => film(content)?.pause())
  // A drag that starts on the controls moves the playhead, not the slide.
  lightbox.on('pointerDown', (event) => {
    const video = event.originalEvent.target.closest?.('video')
    if (video && event.originalEvent.clientY > video.getBoundingClientRect().bottom - 72) event.preventDefault()
  })
}

// A film that plays over a still: silently under a pointer, and a Live Photo's when its badge is pressed, on any device.
function glimpse(box, source) {
  const film = overlay(box, source)
  const badge = box.querySelector('a.live')
  if (badge) press(badge, film)
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  if (still.matches || navigator.connection?.saveData || !matchMedia('(hover: hover)').matches) return
  const link = box.querySelector('a.open')
  box.addEventListener('pointerenter', () => film.show())
  link?.addEventListener('focus', () => film.show())
  box.addEventListener('pointerleave', film.hide)
  link?.addEventListener('blur', film.hide)
}

// Pressed, it plays once and with its sound, if the film has any; pressed again, it ends.
function press(badge, film) {
  badge.setAttribute('role', 'button')
  badge.addEventListener('keydown', (event) => event.key === ' ' && (event.preventDefault(), badge.click()))
  badge.addEventListener('click', (event) => {
    event.preventDefault()
    if (badge.classList.contains('on')) return film.hide()
    badge.classList.add('on')
    film.show({ loop: false, muted: false, ended: () => badge.classList.remove('on') })
  })
}

function overlay(box, source) {
  let video
  let ended
  const hide = () => {
    video?.remove()
    video?.removeAttribute('src')
    video = undefined
    ended?.()
    ended = undefined
  }
  const show = ({ loop = true, muted = true, ended: after } = {}) => {
    if ((video && muted) || box.querySelector('.veil input:not(:checked)')) return
    hide()
    const film = document.createElement('video')
    video = film
    ended = after
    Object.assign(film, { muted, loop, playsInline: true, autoplay: true, src: source })
    film.setAttribute('aria-hidden', 'true')
    film.addEventListener('playing', () => video === film && (film.isConnected || box.querySelector('picture')?.after(film)), { once: true })
    film.addEventListener('ended', hide)
    film.play().catch(() => video === film && hide())
  }
  return { show, hide }
}

function turnPage(event) {
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key]
  const busy = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey
  if (!rel || busy || event.target.closest('input, video, .pswp') || document.querySelector('.pswp')) return
  document.querySelector(`.beside a[rel=${rel}]`)?.click()
}
