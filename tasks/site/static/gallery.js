// The gallery beyond its HTML: a lightbox for grids, a glimpse of a video under the pointer, arrow keys between items.
import PhotoSwipeLightbox from 'photoswipe/lightbox'

const OPENABLE = '.shot:not(:has(.veil input:not(:checked))) a.open[data-src]'

for (const grid of document.querySelectorAll('[data-lightbox]')) openInLightbox(grid)
for (const link of document.querySelectorAll('a.open[data-glimpse]')) glimpse(link)
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
    paddingFn: (size) => (size.x < 720 ? { top: 0, bottom: 0, left: 0, right: 0 } : { top: 24, bottom: 64, left: 64, right: 64 }),
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

function glimpse(link) {
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  if (still.matches || navigator.connection?.saveData || !matchMedia('(hover: hover)').matches) return
  let video
  const show = () => {
    if (video || link.closest('.shot').querySelector('.veil input:not(:checked)')) return
    video = document.createElement('video')
    Object.assign(video, { muted: true, loop: true, playsInline: true, autoplay: true, src: link.dataset.glimpse })
    video.setAttribute('aria-hidden', 'true')
    video.addEventListener('playing', () => video?.isConnected || link.querySelector('picture')?.after(video), { once: true })
    video.play().catch(() => {})
  }
  const hide = () => {
    video?.remove()
    video?.removeAttribute('src')
    video = undefined
  }
  link.addEventListener('pointerenter', show)
  link.addEventListener('focus', show)
  link.addEventListener('pointerleave', hide)
  link.addEventListener('blur', hide)
}

function turnPage(event) {
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key]
  const busy = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey
  if (!rel || busy || event.target.closest('input, video, .pswp') || document.querySelector('.pswp')) return
  document.querySelector(`.beside a[rel=${rel}]`)?.click()
}
