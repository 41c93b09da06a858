// Reads the body of a write, strictly: one content type per endpoint, UTF-8, at most 16 KiB.
import express, { type Request, type Response } from 'express'
import { MembershipError } from '../domain/errors.ts'
import type { Endpoint } from './http-context.ts'

export const MAX_BODY_BYTES = 16 * 1024
const MAX_FIELDS = 100

/** The unchecked fields. A form field that came twice is an array; a JSON value may be anything. */
export type RawInput = Readonly<Record<string, unknown>>

const CONTENT_TYPES: Record<Endpoint, string> = { page: 'application/x-www-form-urlencoded', api: 'application/json' }

/** `express.raw` reads, inflates and limits; the bytes are parsed here. */
const readBytes = express.raw({ type: () => true, limit: MAX_BODY_BYTES })

/** The query of a read, if the action has fields. */
export function readQuery(req: Request, fields: readonly string[]): RawInput {
  return fields.length === 0 ? {} : parseForm(queryOf(req))
}

/** Cut out, not parsed: a request line may hold a whole URL, even an invalid one. */
export function queryOf({ originalUrl }: Request): string {
  const at = originalUrl.indexOf('?')
  return at < 0 ? '' : originalUrl.slice(at + 1)
}

/**
 * `otherPath`: the path that accepts the other content type. Throws `body_too_large`, `unsupported_media_type`, `malformed`, or
 * `invalid_input` if the JSON is not an object.
 */
export async function readInput(
  req: Request,
  res: Response,
  endpoint: Endpoint,
  otherPath: string | undefined,
): Promise<RawInput> {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw new MembershipError('body_too_large')
  refuseOtherTypes(req, endpoint, otherPath)
  if (isUnread(req)) await read(req, res)
  const body: unknown = req.body
  // express.json() may run before us and have parsed it already.
  if (!(body instanceof Uint8Array) && typeof body === 'object' && body !== null) return asObject(body)
  const text = body instanceof Uint8Array ? readable(() => utf8.decode(body)) : typeof body === 'string' ? body : ''
  if (endpoint === 'page') return parseForm(text)
  return text === '' ? {} : asObject(readable(() => JSON.parse(text)))
}

/** Parsers of Express 4 set an empty object on requests that they do not read. */
function isUnread({ body, readableDidRead }: Request): boolean {
  return body === undefined || (!readableDidRead && Object.keys(body ?? {}).length === 0)
}

function refuseOtherTypes(req: Request, endpoint: Endpoint, otherPath: string | undefined): void {
  const header = req.headers['content-type']
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
  if (header === undefined && !hasBody) return
  const [type = '', ...parameters] = (header ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  if (type !== CONTENT_TYPES[endpoint] || !isUtf8) throw new MembershipError('unsupported_media_type', { otherPath })
}

function read(req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    readBytes(req, res, (error: unknown) => {
      if (error === undefined || error === null) return resolve()
      reject(asRefusal(error))
    })
  })
}

/** The `status` of body-parser's errors: 413 for the limit, also after inflating; 415 for the encoding; 400 for the rest. */
function asRefusal(error: unknown): MembershipError {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 413) return new MembershipError('body_too_large', { cause: error })
  if (status === 415) return new MembershipError('unsupported_media_type', { cause: error })
  return new MembershipError('malformed', { cause: error })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Throws `malformed` if it cannot be read. */
function readable<Read>(read: () => Read): Read {
  try {
    return read()
  } catch (cause) {
    throw new MembershipError('malformed', { cause })
  }
}

function asObject(value: unknown): RawInput {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MembershipError('invalid_input')
  return Object.assign(Object.create(null), value)
}

/** https://url.spec.whatwg.org/#urlencoded-parsing, but invalid UTF-8 or percent-encoding is refused, not replaced. */
function parseForm(text: string): RawInput {
  const fields: Record<string, unknown> = Object.create(null)
  if (text === '') return fields
  const pairs = text.split('&')
  if (pairs.length > MAX_FIELDS) throw new MembershipError('malformed')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decodeFormPart(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decodeFormPart(pair.slice(equals + 1))
    fields[name] = name in fields ? [fields[name], value] : value
  }
  return fields
}

function decodeFormPart(text: string): string {
  return readable(() => decodeURIComponent(text.replaceAll('+', ' ')))
}
