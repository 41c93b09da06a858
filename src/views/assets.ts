// The style sheet, the script and the icon, at paths with their digest.
import { readFileSync } from 'node:fs'
import { digest } from '../domain/secret.ts'

export interface Asset {
  readonly type: string
  readonly body: string
}

export interface Assets {
  /** Their paths for the layout, below the membership's path. */
  readonly paths: { readonly style: string; readonly script: string; readonly icon: string }
  /** Every asset by its path below the membership's path. May be cached for ever: `public, max-age=31536000, immutable`. */
  readonly files: ReadonlyMap<string, Asset>
}

/** The application's CSS follows our style sheet, so that it overrides it. */
export function createAssets(styleSheet = ''): Assets {
  const style = asset('style.css', 'text/css; charset=utf-8', styleSheet)
  const script = asset('client.js', 'text/javascript; charset=utf-8')
  const icon = asset('icon.svg', 'image/svg+xml')
  return {
    paths: { style: style.path, script: script.path, icon: icon.path },
    files: new Map([style, script, icon].map((file) => [file.path, file.asset])),
  }
}

/** The icon for browsers that read no SVG, `/favicon.ico`: 32 pixels square. */
export function readFavicon(): Uint8Array {
  return readFileSync(new URL('favicon.ico', import.meta.url))
}

function asset(file: string, type: string, more = ''): { path: string; asset: Asset } {
  const body = readFileSync(new URL(file, import.meta.url), 'utf8') + more
  const [name, ending] = file.split('.')
  return { path: `/assets/${name}.${digest(body).slice(0, 12)}.${ending}`, asset: { type, body } }
}
