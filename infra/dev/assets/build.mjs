// Bundles the gallery's own scripts and styles with the libraries they use: node build.mjs SOURCE_DIR OUT_DIR VERSION
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import path from 'node:path'
import { build } from 'esbuild'

const [source, out, version] = process.argv.slice(2)
const here = path.dirname(fileURLToPath(import.meta.url))
const entries = (await readdir(source)).filter((name) => /\.(js|css|svg)$/.test(name) && !name.startsWith('_'))

// esbuild has said what is wrong; a stack trace would only hide it.
process.on('uncaughtException', () => process.exit(1))

await build({
  entryPoints: entries.map((name) => path.join(source, name)),
  outdir: out,
  // The sources live beside the Python that renders the pages; their libraries live here.
  nodePaths: [path.join(here, 'node_modules')],
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  target: ['chrome109', 'firefox115', 'safari16'],
  loader: { '.woff2': 'file', '.svg': 'copy' },
  // Fonts keep a stable name, so that pages can preload them; the folder's name already says the version.
  assetNames: '[name]',
  chunkNames: 'lib-[hash]',
  publicPath: `/static/${version}`,
  legalComments: 'linked',
  logLevel: 'warning',
})
