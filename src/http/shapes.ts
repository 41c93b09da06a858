// Shapes that several API responses share, for types and for OpenAPI.
import { z } from 'zod'
import { ERROR_CODES, FIELD_ERROR_CODES } from '../domain/errors.ts'
import { USERNAME } from '../domain/names.ts'

/** ISO 8601 in UTC, as `Date.prototype.toISOString` writes it. */
export const time = z.string().meta({ format: 'date-time', examples: ['2026-05-04T12:00:00.000Z'] })

export const UserShape = z
  .object({
    id: z.string().meta({ description: 'Opaque and stable.', examples: ['0e8f6c1e-6a0e-4a53-9d0c-5f1f3c7f2b11'] }),
    username: z.string().meta({ description: 'As it was typed at registration.', pattern: USERNAME.source, examples: ['alice'] }),
    displayName: z
      .string()
      .meta({ description: 'What to call the person; the username if they chose no other name.', examples: ['Alice'] }),
    email: z
      .string()
      .nullable()
      .meta({ description: 'null if none is known.', examples: [null] }),
    emailVerified: z
      .boolean()
      .meta({ description: 'Whether the person has proven that the address is theirs.', examples: [false] }),
    roles: z
      .array(z.string())
      .readonly()
      .meta({ description: 'Given by the operator.', examples: [['admin']] }),
    createdAt: time,
  })
  .meta({ id: 'User' })

export const UserBody = z.object({ user: UserShape }).meta({ id: 'UserBody' })

/** A refusal. `code` and `type` are API and never change; `title` and `detail` are in the visitor's language. */
export const ProblemShape = z
  .object({
    type: z.string().meta({ description: '`urn:guildhall:problem:` and the code.' }),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(ERROR_CODES).meta({ description: 'A closed list; a code never changes its meaning.' }),
    detail: z.string(),
    reason: z.string().optional().meta({ description: 'Of `refused`: the host application’s own code.' }),
    errors: z
      .array(
        z
          .object({ field: z.string(), code: z.enum(FIELD_ERROR_CODES), message: z.string() })
          .meta({ id: 'FieldError', description: 'What is wrong with one field, in a code and in the visitor’s language.' }),
      )
      .optional()
      .meta({ description: 'Of `invalid_input`: each invalid field.' }),
    requestId: z.string().meta({ description: 'Identifies the request in the log of the server.' }),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457).' })
