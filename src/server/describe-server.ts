// What `/openapi.json` serves: the description of the membership and of the server's own paths.
import { describeApi, refusals } from '../http/openapi.ts'
import type { ApiDocument, ApiResponse, Operation, Schema } from '../http/openapi-types.ts'
import type { Internals } from '../membership.ts'
import { version } from './env.ts'

export function describeServer({ http, routes }: Pick<Internals, 'http' | 'routes'>): ApiDocument {
  return describeApi(http, routes, {
    version: version(),
    securitySchemes: {
      metricsToken: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN, where it is set.' },
    },
    paths: {
      '/healthz': { get: serverPath('getHealthz', 'Whether the process runs.', { 200: statusResponse('It runs.', 'ok') }) },
      '/readyz': {
        get: serverPath('getReadyz', 'Whether requests can be served: not stopping, and the database answers.', {
          200: statusResponse('It is ready.', 'ok'),
          503: statusResponse('It is not ready.', 'unavailable'),
        }),
      },
      '/metrics': {
        get: {
          ...serverPath('getMetrics', 'Numbers for Prometheus.', { 200: METRICS, 404: HIDDEN }),
          security: [{}, { metricsToken: [] }],
        },
      },
      '/openapi.json': { get: serverPath('getOpenapiJson', 'This description.', { 200: DESCRIPTION }) },
    },
  })
}

function serverPath(operationId: string, summary: string, responses: Readonly<Record<number, ApiResponse>>): Operation {
  return { operationId, tags: ['server'], summary, security: [], responses }
}

function statusResponse(description: string, status: 'ok' | 'unavailable'): ApiResponse {
  const schema: Schema = { type: 'object', properties: { status: { const: status } }, required: ['status'] }
  return { description, content: { 'application/json': { schema, example: { status } } } }
}

const METRICS: ApiResponse = {
  description: 'The text format of Prometheus.',
  content: { 'text/plain': { schema: { type: 'string' } } },
}

/** A browser gets it as a page. */
const HIDDEN: ApiResponse = {
  description:
    '`not_found`: without the token; without METRICS_TOKEN everywhere but on a site whose base URL is this machine itself.',
  content: { ...refusals(['not_found'])[404]?.content, 'text/html': { schema: { type: 'string' } } },
}

const DESCRIPTION: ApiResponse = {
  description: 'OpenAPI 3.1.',
  content: { 'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } } },
}
