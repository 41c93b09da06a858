// docs/api.md: the description of the API as a page to read.
import type { ErrorCode } from '../../src/domain/errors.ts'
import { statusOf } from '../../src/http/errors.ts'
import { JSON_BODY } from '../../src/http/openapi.ts'
import type { ApiDocument, ApiResponse, Media } from '../../src/http/openapi-types.ts'
import { type Described, operationsOf } from '../../test/support/api-contract.ts'
import { cell, table } from './markdown.ts'

export function apiPage(document: ApiDocument): string {
  const { info, tags, components } = document
  const operations = operationsOf(document)
  const chapters = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return [
      `## ${name === 'members' ? 'Members' : 'The server'}`,
      description,
      ...own.map((one) => section(one, components)),
    ].join('\n\n')
  })
  const shapes = Object.entries(components.schemas)
    .filter(([name]) => !/(?:Input|Body)$/.test(name))
    .map(([name, schema]) => `### ${name}\n\n${fieldsOf(schema)}`)
  return [
    '# The JSON API',
    'The server describes it for machines at `/openapi.json`, with the paths and the cookie of your site. This page is made from that description; the option `path` moves all of it but the chapter on the server.',
    info.description,
    `Besides the refusals that are named below, every request may be refused with ${links(OF_REQUESTS)}, and every POST with ${links(OF_WRITES)}. What never becomes a request is answered in plain text: 400, 408, 413, 431.`,
    ...chapters,
    '## Shapes',
    ...shapes,
    'What each code of a refusal means: [errors.md](errors.md).',
  ].join('\n\n')
}

function section({ method, path, operation }: Described, { schemas }: ApiDocument['components']): string {
  const { operationId, description, security, requestBody, parameters = [], responses } = operation
  const needs = security.some((scheme) => 'session' in scheme) ? 'For people who are logged in.' : ''
  const request = requestBody?.content[JSON_BODY]
  const named = parameters.map(({ name, schema }) => [`\`${name}\` in the path`, limitsOf(schema), schema.description ?? ''])
  const answers = Object.entries(responses).filter(([status, { content = {} }]) => {
    return !('application/problem+json' in content) && !PLAIN.has(status)
  })
  return [
    `### ${method} ${path}`,
    [`\`${operationId}\`:`, description, needs].filter((text) => text !== '').join(' '),
    ...(named.length > 0 ? [table(['part', 'type', 'meaning'], named)] : []),
    ...(request ? [`${fieldsOf(schemas[request.schema.$ref?.split('/').at(-1) ?? ''] ?? {})}\n\n${example(request)}`] : []),
    ...answers.map(answer),
    refusals(responses),
  ]
    .filter((text) => text !== '')
    .join('\n\n')
}

function answer([status, { description, content = {} }]: readonly [string, ApiResponse]): string {
  const [type, media] = Object.entries(content)[0] ?? []
  const shown = media?.example === undefined ? '' : `\n\n${example(media)}`
  return `**${status}** ${description}${type === undefined || type === 'application/json' ? '' : ` \`${type}\``}${shown}`
}

/** What the HTTP parser answers. */
const PLAIN = new Set(['408', '431'])

/** Told once for all. */
const OF_REQUESTS: readonly ErrorCode[] = ['wrong_host', 'store_unavailable', 'internal']
const OF_WRITES: readonly ErrorCode[] = ['malformed', 'cross_site_request', 'body_too_large', 'unsupported_media_type']
const EVERYWHERE = new Set<string>([...OF_REQUESTS, ...OF_WRITES])

function links(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `${statusOf(code)} [\`${code}\`](errors.md#${code})`).join(', ')
}

function refusals(responses: Described['operation']['responses']): string {
  const rows = Object.entries(responses).flatMap(([status, { content }]) =>
    Object.keys(content?.['application/problem+json']?.examples ?? {})
      .filter((code) => !EVERYWHERE.has(code))
      .map((code) => `${status} [\`${code}\`](errors.md#${code})`),
  )
  return rows.length === 0 ? '' : `Refusals: ${rows.join(', ')}.`
}

function fieldsOf({ properties = {}, required = [] }: Media['schema']): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    if (typeof schema !== 'object') return [`\`${name}\``, '', '']
    return [`\`${name}\`${required.includes(name) ? '' : ' (may be left out)'}`, limitsOf(schema), schema.description ?? '']
  })
  return table(['field', 'type', 'meaning'], rows)
}

function limitsOf(schema: Media['schema']): string {
  const { minLength: least, maxLength: most } = schema
  const length = most === undefined ? '' : `, ${least === undefined ? 'at most' : `${least} to`} ${most} characters`
  return cell(`${typeOf(schema)}${length}`)
}

function typeOf({ type, format, anyOf, enum: choices, items, const: only }: Media['schema']): string {
  if (only !== undefined) return `\`${String(only)}\``
  if (choices)
    return choices.length > 12
      ? 'a code'
      : choices.map((choice) => (choice === '' ? 'empty' : `\`${String(choice)}\``)).join(', ')
  if (anyOf) return anyOf.map((one) => (typeof one === 'object' ? typeOf(one) : '')).join(' or ')
  if (type === 'array') return `list of ${typeof items === 'object' && !Array.isArray(items) ? typeOf(items) : 'values'}`
  const word = Array.isArray(type) ? type.join(' or ') : (type ?? 'value')
  return format === 'date-time' ? 'time, ISO 8601 in UTC' : word
}

function example({ example }: Media): string {
  return `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``
}
