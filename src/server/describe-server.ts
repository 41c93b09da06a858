// What `/openapi.json` serves: the description of the membership and of the server's own paths.
import { describeApi } from '../http/openapi.ts'
import { type PlainAnswers, refusal } from '../http/openapi-responses.ts'
import type { ApiDocument, ApiResponse, Operation, Schema } from '../http/openapi-types.ts'
import type { Internals } from '../membership.ts'

export function describeServer({ http, routes }: Pick<Internals, 'http' | 'routes'>): ApiDocument {
  return describeApi(http, routes, {
    tags: [{ name: 'server', description: 'For machines that look after the server. No session, no host check.' }],
    securitySchemes: {
      metricsToken: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN, where it is set.' },
    },
    plainAnswers: PLAIN_ANSWERS,
    paths: {
      '/healthz': {
        get: serverPath('getHealth', 'Whether the process runs', 'For a liveness probe: it looks at nothing else.', {
          200: statusResponse('It runs.', 'ok'),
        }),
      },
      '/readyz': {
        get: serverPath('getReadiness', 'Whether requests can be served', 'Ready: not stopping, and the database answers.', {
          200: statusResponse('It is ready.', 'ok'),
          503: statusResponse('It is not ready.', 'unavailable'),
        }),
      },
      '/metrics': {
        get: {
          ...serverPath('getMetrics', 'Numbers for Prometheus', 'For whoever has METRICS_TOKEN, else for this machine alone.', {
            200: METRICS,
            404: HIDDEN,
          }),
          security: [{}, { metricsToken: [] }],
        },
      },
      '/openapi.json': {
        get: serverPath('getDescription', 'This description', 'The paths and the cookie of this site, and all of its API.', {
          200: DESCRIPTION,
        }),
      },
    },
  })
}

/** What Node's parser and our limits on slow clients answer to any request. The connection ends. */
const PLAIN_ANSWERS: PlainAnswers = {
  400: { name: 'UnreadableRequest', description: 'What came is no HTTP request.' },
  408: { name: 'RequestTimeout', description: 'The request did not arrive in time.' },
  413: { name: 'UnreadableBody', description: 'The body has more framing than content.' },
  431: { name: 'HeadersTooLarge', description: 'The headers have more than 16 KiB.' },
}

function serverPath(
  operationId: string,
  summary: string,
  description: string,
  responses: Readonly<Record<number, ApiResponse>>,
): Operation {
  return { operationId, tags: ['server'], summary, description, security: [], responses }
}

function statusResponse(description: string, status: 'ok' | 'unavailable'): ApiResponse {
  const schema: Schema = { type: 'object', properties: { status: { const: status } }, required: ['status'] }
  return { description, content: { 'application/json': { schema, example: { status } } } }
}

const METRICS: ApiResponse = {
  description: 'The text format of Prometheus.',
  content: { 'text/plain': { schema: { type: 'string' } } },
}

/** Browsers get a page instead. */
const HIDDEN: ApiResponse = {
  description:
    '`not_found`: without the token; without METRICS_TOKEN everywhere but on a site whose base URL is this machine itself.',
  content: { ...refusal(['not_found']).content, 'text/html': { schema: { type: 'string' } } },
}

const DESCRIPTION: ApiResponse = {
  description: 'OpenAPI 3.1.',
  content: { 'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } } },
}
