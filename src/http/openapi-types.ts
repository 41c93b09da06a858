// The types of OpenAPI 3.1 that our document uses (https://spec.openapis.org/oas/v3.1.1).
import type { z } from 'zod'

export type Schema = z.core.JSONSchema.BaseSchema
export type Schemas = Record<string, Schema>

export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: {
    readonly schemas: Readonly<Schemas>
    readonly responses: Readonly<Record<string, ApiResponse>>
    readonly requestBodies: Readonly<Record<string, RequestBody>>
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>
    readonly headers: Readonly<Record<string, object>>
    readonly securitySchemes: Readonly<Record<string, object>>
  }
}

export type PathItem = { readonly [Method in 'get' | 'post']?: Operation }

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  /** Empty: no login is needed. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: 'path' | 'query'
    readonly required: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: Ref
  readonly responses: Readonly<Record<string, ApiResponse | Ref>>
}

/** A reference to a part of `components`. */
export interface Ref {
  readonly $ref: string
}

export interface RequestBody {
  readonly required: boolean
  readonly content: Readonly<Record<string, Media>>
}

export interface ApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, Ref>>
  readonly content?: Readonly<Record<string, Media>>
}

export interface Media {
  readonly schema: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, Ref>>
}
