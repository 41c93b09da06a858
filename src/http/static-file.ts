// Files that are the same for everybody: compressed once, and sent again only where they changed.
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Request, Response } from 'express'
import { digest } from '../domain/secret.ts'
import { setSharedHeaders } from './respond.ts'

/** The better one first: browsers offer both and mean no order by it. Pages are never compressed: what they hold could be guessed by length (BREACH). */
const ENCODINGS = { br: brotliCompressSync, gzip: gzipSync } as const

type Encoding = keyof typeof ENCODINGS

interface Representation {
  readonly encoding: Encoding | undefined
  readonly body: Uint8Array
  /** Strong, so one for each encoding (RFC 9110 section 8.8.3.3). */
  readonly etag: string
}

export class StaticFile {
  readonly type: string
  readonly #plain: Representation
  readonly #mark: string
  readonly #compressed = new Map<Encoding, Representation>()

  constructor(type: string, content: string | Uint8Array) {
    const body = Buffer.from(content)
    this.type = type
    this.#mark = digest(body).slice(0, 12)
    this.#plain = { encoding: undefined, body, etag: `"${this.#mark}"` }
  }

  /** Made at the first request that can read it. */
  for(req: Request): Representation {
    for (const encoding of ['br', 'gzip'] as const) {
      if (req.acceptsEncodings(encoding) === false) continue
      const made = this.#compressed.get(encoding) ?? this.#compress(encoding)
      this.#compressed.set(encoding, made)
      return made
    }
    return this.#plain
  }

  #compress(encoding: Encoding): Representation {
    const body = ENCODINGS[encoding](this.#plain.body)
    // Of a few hundred bytes there is little to take off.
    if (body.length >= this.#plain.body.length) return this.#plain
    return { encoding, body, etag: `"${this.#mark}-${encoding}"` }
  }
}

/** Answers a GET or HEAD. `caching`: for `Cache-Control`. */
export function sendStaticFile(req: Request, res: Response, file: StaticFile, caching: string): void {
  const { encoding, body, etag } = file.for(req)
  setSharedHeaders(req, res, caching)
  res.setHeader('Vary', 'Accept-Encoding')
  res.setHeader('ETag', etag)
  if (matches(req.headers['if-none-match'], etag)) return void res.status(304).end()
  res.setHeader('Content-Type', file.type)
  if (encoding !== undefined) res.setHeader('Content-Encoding', encoding)
  res.setHeader('Content-Length', body.length)
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** RFC 9110 section 13.1.2: `*` is any, and a list is compared weakly, because a proxy that compresses weakens our tags. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
