// Holds answers against the description of the API: status, content type, body, and which codes were met.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { JSON_BODY } from '../../src/http/openapi.ts'
import type { ApiDocument, ApiResponse, Operation, Ref, RequestBody } from '../../src/http/openapi-types.ts'

export interface Described {
  readonly method: 'GET' | 'POST'
  /** With `{name}` for its parts. */
  readonly path: string
  readonly operation: WholeOperation
}

/** With what it refers to in its place. */
interface WholeOperation extends Omit<Operation, 'responses' | 'requestBody'> {
  readonly requestBody?: RequestBody | undefined
  readonly responses: Readonly<Record<string, ApiResponse>>
  /** The place of each answer and of the body in the document, as JSON Pointers. */
  readonly places: Readonly<Record<string, string>>
}

interface Spoken {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

export class Contract {
  readonly operations: readonly Described[]
  /** Every `POST /api/login 401 invalid_credentials` that was seen; `-` if an answer has no code. */
  readonly met = new Set<string>()
  readonly #document: ApiDocument
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': ISO, password: true } })
  readonly #checks = new Map<string, ValidateFunction>()

  constructor(document: ApiDocument) {
    this.#document = document
    this.operations = operationsOf(document)
    this.#ajv.addSchema({ $id: 'api', ...closed(document) })
  }

  operation(method: 'GET' | 'POST', path: string): Described {
    const found = this.operations.find((operation) => operation.method === method && operation.path === path)
    if (!found) throw new Error(`${method} ${path} is not described`)
    return found
  }

  /** What is wrong with an answer, or undefined. */
  faultOf({ method, path, operation }: Described, { status, headers, text }: Spoken): string | undefined {
    const name = `${method} ${path} ${status}`
    const response = operation.responses[status]
    if (!response) return `${name} is not described: ${text.slice(0, 200)}`
    const [type] = String(headers['content-type'] ?? '').split(';')
    if (!response.content) {
      this.met.add(`${name} -`)
      return text === '' && type === '' ? undefined : `${name} should have no body`
    }
    if (type === undefined || !(type in response.content)) return `${name} has the type ${type}`
    if (!type.endsWith('json')) {
      this.met.add(`${name} -`)
      return undefined
    }
    const body: unknown = JSON.parse(text)
    const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '-'
    this.met.add(`${name} ${code}`)
    if (status === 429 && !/^[1-9]\d*$/.test(String(headers['retry-after']))) return `${name} does not say when to try again`
    return this.#judge(schemaAt(operation.places[status], type), body)
  }

  /** The fields that its body may have. */
  fieldsOf({ operation }: Described): readonly string[] {
    const ref = operation.requestBody?.content[JSON_BODY]?.schema.$ref
    const { properties = {} } = this.#document.components.schemas[ref?.split('/').at(-1) ?? ''] ?? {}
    return Object.keys(properties)
  }

  /** Whether an example fits its schema. */
  faultOfExample(at: string, example: unknown): string | undefined {
    return this.#judge(at, example)
  }

  #judge(at: string, body: unknown): string | undefined {
    const check = this.#checks.get(at) ?? this.#ajv.compile({ $ref: `api#${at}` })
    this.#checks.set(at, check)
    return check(body) ? undefined : `${at}: ${this.#ajv.errorsText(check.errors)} in ${JSON.stringify(body)}`
  }
}

/** What every operation may answer, written as `Contract.met` has it. */
export function promises(operations: readonly Described[]): readonly string[] {
  return operations.flatMap(({ method, path, operation }) =>
    Object.entries(operation.responses).flatMap(([status, response]) =>
      codesOf(response).map((code) => `${method} ${path} ${status} ${code}`),
    ),
  )
}

function codesOf({ content }: ApiResponse): readonly string[] {
  return Object.keys(content?.['application/problem+json']?.examples ?? { '-': true })
}

export function operationsOf({ paths, components }: ApiDocument): readonly Described[] {
  const whole = (operation: Operation, path: string, method: string): WholeOperation => {
    const places: Record<string, string> = {}
    const responses: Record<string, ApiResponse> = {}
    for (const [status, response] of Object.entries(operation.responses)) {
      const named = nameOf(response)
      const found = named === undefined ? response : components.responses[named]
      if (!found || '$ref' in found) throw new Error(`${path} ${status} leads nowhere`)
      responses[status] = found
      places[status] =
        named === undefined ? pointer('paths', path, method, 'responses', status) : pointer('components', 'responses', named)
    }
    const body = operation.requestBody && nameOf(operation.requestBody)
    if (body !== undefined) places.body = pointer('components', 'requestBodies', body)
    return { ...operation, responses, places, requestBody: body === undefined ? undefined : components.requestBodies[body] }
  }
  return Object.entries(paths).flatMap(([path, { get, post }]) => [
    ...(get ? [{ method: 'GET', path, operation: whole(get, path, 'get') } as const] : []),
    ...(post ? [{ method: 'POST', path, operation: whole(post, path, 'post') } as const] : []),
  ])
}

function nameOf(value: ApiResponse | Ref): string | undefined {
  return '$ref' in value ? value.$ref.split('/').at(-1) : undefined
}

export function schemaAt(place: string | undefined, type: string): string {
  return place + pointer('content', type, 'schema')
}

function pointer(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
}

/** The same document with every object closed: an answer that says more than it should is a fault too. */
function closed<Value>(value: Value): Value
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  // One part of an `allOf` may not close what another part describes.
  const entries = Object.entries(value).map(([name, part]) => [name, name === 'allOf' ? part : closed(part)])
  const isObject = 'type' in value && value.type === 'object' && 'properties' in value
  return Object.fromEntries(isObject ? [...entries, ['additionalProperties', false]] : entries)
}
