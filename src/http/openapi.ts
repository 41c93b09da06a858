// Describes the API as OpenAPI 3.1, from the same declarations that serve it.
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import { translator } from '../i18n/translate.ts'
import type { Described } from './action-types.ts'
import { isSecret } from './check-input.ts'
import { statusOf } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { media, schemaOf, splitInput } from './openapi-schema.ts'
import type { ApiDocument, ApiResponse, Operation, PathItem, Schema, Schemas } from './openapi-types.ts'
import { MAX_BODY_BYTES } from './read-input.ts'
import type { Route } from './routes.ts'
import { ProblemShape } from './shapes.ts'

/** What the server around the membership adds. */
export interface Surroundings {
  readonly version: string
  readonly paths: Readonly<Record<string, PathItem>>
  readonly securitySchemes: Readonly<Record<string, object>>
}

export function describeApi(http: HttpContext, routes: readonly Route[], around: Surroundings): ApiDocument {
  const schemas: Schemas = {}
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    if (!route.described) continue
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeAction(route, route.described, path, schemas) }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Guildhall API', version: around.version, description: ABOUT },
    servers: [{ url: http.origin }],
    tags: [
      { name: 'members', description: 'What the pages do, as JSON.' },
      { name: 'server', description: 'For machines that look after the server. No session, no host check.' },
    ],
    paths: { ...paths, ...around.paths },
    components: {
      schemas: { ...schemas, Problem: schemaOf(ProblemShape, schemas) },
      examples: Object.fromEntries(ERROR_CODES.map((code) => [code, { value: problemExample(code) }])),
      headers: {
        RetryAfter: { description: 'Seconds after which it is worth trying again.', schema: { type: 'integer', minimum: 1 } },
      },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: http.cookieName, description: 'The session, set by a login.' },
        ...around.securitySchemes,
      },
    },
  }
}

const ABOUT = `Every page of the site has its twin here: the same checks in the same order, told in JSON.

A login or a registration sets the session cookie; whoever sends it is logged in. A write is refused where the browser says that another site sends it (\`Sec-Fetch-Site\`, else \`Origin\`); programs need neither header unless the site asks for one.

Bodies are \`application/json\` in UTF-8, one object of at most ${MAX_BODY_BYTES} bytes. Unknown fields are ignored, the query string is not read. A refusal is \`application/problem+json\` (RFC 9457): \`code\` and \`type\` never change, \`title\`, \`detail\` and the messages are in the language of \`Accept-Language\`. Another method on a path of the API is 405 \`method_not_allowed\`, another path 404 \`not_found\`.`

function describeAction({ method }: Route, described: Described, path: string, schemas: Schemas): Operation {
  const { guard, summary, body } = described
  const { parameters, fields } = splitInput(schemaOf(described.input, schemas), path, method === 'GET')
  const status = described.status ?? (body ? 200 : 204)
  const success: ApiResponse = {
    description: DONE[status],
    ...(body && { content: { 'application/json': media(schemaOf(body, schemas), schemas) } }),
  }
  return {
    operationId: operationId(method, path),
    tags: ['members'],
    summary,
    security: guard === 'member' ? [{ session: [] }] : [],
    ...(parameters.length > 0 && { parameters }),
    ...(method === 'POST' &&
      Object.keys(fields.properties ?? {}).length > 0 && {
        requestBody: { required: fields.required !== undefined, content: { 'application/json': media(fields, schemas) } },
      }),
    responses: { [status]: success, ...refusals(codesOf(method, described, fields)) },
  }
}

const DONE = {
  200: 'Done.',
  201: 'Made.',
  202: 'Taken on; a mail follows.',
  204: 'Done; there is nothing to say.',
} as const

/** Whatever the action: what every request, every write, every guard and every counted or hashed try may be answered. */
function codesOf(method: Route['method'], { guard, isLimited, refuses = [] }: Described, fields: Schema): readonly ErrorCode[] {
  const codes = new Set<ErrorCode>(['wrong_host', 'store_unavailable', 'internal', ...refuses])
  const hasInput = Object.keys(fields.properties ?? {}).length > 0
  if (method === 'POST') codes.add('cross_site_request').add('body_too_large').add('unsupported_media_type')
  if (method === 'POST' || hasInput) codes.add('malformed').add('invalid_input')
  if (guard === 'member') codes.add('login_required')
  if (isLimited) codes.add('too_many_requests')
  if (Object.values(fields.properties ?? {}).some(isSecret)) codes.add('overloaded')
  return ERROR_CODES.filter((code) => codes.has(code))
}

const WITH_RETRY_AFTER = new Set<ErrorCode>(['too_many_requests', 'overloaded', 'store_unavailable'])

/** The refusals by status: each with the codes it can have, and how each of them looks. */
export function refusals(codes: readonly ErrorCode[]): Readonly<Record<string, ApiResponse>> {
  const responses: Record<string, ApiResponse> = {}
  for (const status of new Set(codes.map(statusOf))) {
    const these = codes.filter((code) => statusOf(code) === status)
    const onlyThese: Schema = { type: 'object', properties: { code: { enum: these } } }
    const schema: Schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, onlyThese] }
    const examples = Object.fromEntries(these.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
    responses[status] = {
      description: these.map((code) => `\`${code}\`: ${errorTexts(english, code).title}.`).join(' '),
      ...(these.some((code) => WITH_RETRY_AFTER.has(code)) && {
        headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
      }),
      content: { 'application/problem+json': { schema, examples } },
    }
  }
  return responses
}

function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'api')
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const english = translator('en')

function problemExample(code: ErrorCode): object {
  const error = { field: 'password', code: 'required' } as const
  return {
    type: `urn:guildhall:problem:${code}`,
    ...errorTexts(english, code, 'api'),
    status: statusOf(code),
    code,
    ...(code === 'refused' && { reason: 'by_invitation_only' }),
    ...(code === 'invalid_input' && { errors: [{ ...error, message: fieldText(english, error) }] }),
    requestId: '2f1c9b34-8a56-4f0e-9d7b-3c5e6a7f8091',
  }
}
