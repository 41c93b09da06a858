// Describes the API as OpenAPI 3.1, from the same declarations that serve it.
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts'
import { version } from '../domain/version.ts'
import type { Described } from './action-types.ts'
import { isSecret } from './check-input.ts'
import type { HttpContext } from './http-context.ts'
import { examplesOfRefusals, type PlainAnswers, type Responses, refusals } from './openapi-responses.ts'
import { media, schemaOf, splitInput } from './openapi-schema.ts'
import type { ApiDocument, ApiResponse, Operation, PathItem, RequestBody, Schema, Schemas } from './openapi-types.ts'
import { MAX_BODY_BYTES } from './read-input.ts'
import type { Route } from './routes.ts'
import { ProblemShape } from './shapes.ts'

/** What a server around the membership adds. */
export interface Surroundings {
  readonly paths: Readonly<Record<string, PathItem>>
  readonly tags: ApiDocument['tags']
  readonly securitySchemes: Readonly<Record<string, object>>
  readonly plainAnswers: PlainAnswers
}

interface Components {
  readonly schemas: Schemas
  readonly responses: Responses
  readonly requestBodies: Record<string, RequestBody>
}

/** With a charset, though JSON has no other: a generator that leaves plain JSON to its HTTP client (kubb, with fetch) then sends the type. */
export const JSON_BODY = 'application/json; charset=utf-8'

const NOTHING_AROUND: Surroundings = { paths: {}, tags: [], securitySchemes: {}, plainAnswers: {} }

export function describeApi(http: HttpContext, routes: readonly Route[], around = NOTHING_AROUND): ApiDocument {
  const components: Components = { schemas: {}, responses: {}, requestBodies: {} }
  schemaOf(ProblemShape, components.schemas)
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    if (!route.described) continue
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const operation = describeAction(route, route.described, path, components, around.plainAnswers)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Guildhall API', version: version(), description: ABOUT },
    servers: [{ url: http.origin }],
    tags: [{ name: 'members', description: 'What the pages do, as JSON.' }, ...around.tags],
    paths: { ...paths, ...around.paths },
    components: {
      ...components,
      examples: examplesOfRefusals(),
      headers: {
        RetryAfter: { description: 'Seconds after which it is worth trying again.', schema: { type: 'integer', minimum: 1 } },
      },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: http.cookieName,
          description:
            'The session, set by a login. The cookie `…-seen` beside it is for browsers alone; programs need not send it.',
        },
        ...around.securitySchemes,
      },
    },
  }
}

const ABOUT = `Every page of the site has its twin here: the same checks in the same order, told in JSON.

A login or a registration sets the session cookie; whoever sends it is logged in. A write is refused where the browser says that another site sends it (\`Sec-Fetch-Site\`, else \`Origin\`); programs need neither header unless the site asks for one.

Bodies are \`application/json\` in UTF-8, one object of at most ${MAX_BODY_BYTES} bytes. Unknown fields are ignored, the query string is not read. A refusal is \`application/problem+json\` (RFC 9457): \`code\` and \`type\` never change, \`title\`, \`detail\` and the messages are in the language of \`Accept-Language\`. Another method on a path of the API is 405 \`method_not_allowed\`, another path 404 \`not_found\`.`

function describeAction(
  { method }: Route,
  described: Described,
  path: string,
  { schemas, responses, requestBodies }: Components,
  plain: PlainAnswers,
): Operation {
  const { name, guard, summary, description, body } = described
  const { parameters, fields } = splitInput(schemaOf(described.input, schemas), path, method === 'GET')
  const status = described.status ?? (body ? 200 : 204)
  const success: ApiResponse = {
    description: DONE[status],
    ...(body && { content: { 'application/json': media(schemaOf(body, schemas), schemas) } }),
  }
  const takesBody = method === 'POST' && Object.keys(fields.properties ?? {}).length > 0
  if (takesBody) {
    const input = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`
    schemas[input] = fields
    const content = { [JSON_BODY]: media({ $ref: `#/components/schemas/${input}` }, schemas) }
    requestBodies[name] = { required: fields.required !== undefined, content }
  }
  return {
    operationId: name,
    tags: ['members'],
    summary,
    description,
    security: guard === 'member' ? [{ session: [] }] : [],
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody && { requestBody: { $ref: `#/components/requestBodies/${name}` } }),
    responses: { [status]: success, ...refusals(codesOf(method, described, fields), plain, responses) },
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
