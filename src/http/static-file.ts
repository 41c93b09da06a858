// A file that is the same for everybody, plain and compressed.
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Request } from 'express'
import { digest } from '../domain/secret.ts'

/**
 * The better one first, as browsers offer both without preference. Pages are never compressed: their length would reveal secrets (BREACH).
 */
const ENCODINGS = { br: brotliCompressSync, gzip: gzipSync } as const

type Encoding = keyof typeof ENCODINGS

interface Representation {
  readonly encoding: Encoding | undefined
  readonly body: Uint8Array
  /** A strong ETag: one for each encoding (RFC 9110 section 8.8.3.3). */
  readonly etag: string
}

export class StaticFile {
  readonly type: string
  readonly #plain: Representation
  readonly #digest: string
  readonly #compressed = new Map<Encoding, Representation>()

  constructor(type: string, content: string | Uint8Array) {
    const body = Buffer.from(content)
    this.type = type
    this.#digest = digest(body).slice(0, 12)
    this.#plain = { encoding: undefined, body, etag: `"${this.#digest}"` }
  }

  /** The best representation that the request accepts, compressed at its first use. */
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
    // A file of a few hundred bytes may not become smaller.
    if (body.length >= this.#plain.body.length) return this.#plain
    return { encoding, body, etag: `"${this.#digest}-${encoding}"` }
  }
}
