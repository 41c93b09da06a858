// Converts zod schemas to the JSON Schema of OpenAPI 3.1, with examples.
import { z } from 'zod'
import type { Media, Schema, Schemas } from './openapi-types.ts'

/** Splits the input: path parameters and, in a read, all other fields are parameters; in a write the others are the body. */
export function splitInput(input: Schema, path: string, isRead: boolean) {
  const properties = Object.entries(input.properties ?? {})
  const isPart = (name: string) => path.includes(`{${name}}`)
  const required = input.required?.filter((name) => !isPart(name)) ?? []
  const fields: Schema = {
    type: 'object',
    properties: Object.fromEntries(properties.filter(([name]) => !isPart(name))),
    ...(required.length > 0 && { required }),
  }
  const parameters = properties
    .filter(([name]) => isRead || isPart(name))
    .map(([name, schema]) => {
      const location = isPart(name) ? ('path' as const) : ('query' as const)
      const isRequired = input.required?.includes(name) === true
      return { name, in: location, required: isRequired, schema: typeof schema === 'object' ? schema : {} }
    })
  return { fields, parameters }
}

/** The schema for OpenAPI; schemas with an id move to `components`. */
export function schemaOf(type: z.ZodType, schemas: Schemas): Schema {
  const { $schema: _, $defs = {}, ...schema } = z.toJSONSchema(type, { io: 'input' })
  for (const [name, named] of Object.entries($defs)) schemas[name] = withRefs(named)
  return withRefs(schema)
}

function withRefs(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))
}

export function media(schema: Schema, schemas: Schemas): Media {
  return { schema, example: exampleOf(schema, schemas) }
}

/** Built from the examples of the fields; a field without one is left out. */
function exampleOf(schema: Schema, schemas: Schemas): unknown {
  if (schema.examples !== undefined) return schema.examples[0]
  const name = schema.$ref?.replace('#/components/schemas/', '')
  if (name !== undefined) return exampleOf(schemas[name] ?? {}, schemas)
  const { properties, items } = schema
  if (typeof items === 'object' && !Array.isArray(items)) return [exampleOf(items, schemas)]
  if (!properties) return undefined
  const examples = Object.entries(properties).map(([field, type]) => [
    field,
    typeof type === 'object' ? exampleOf(type, schemas) : undefined,
  ])
  return Object.fromEntries(examples.filter(([, example]) => example !== undefined))
}
