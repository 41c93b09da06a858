// `guildhall migrate`: brings the database up to date, and creates it if it is missing.

import { redactDatabaseUrl } from '../domain/database-url.ts'
import { configOf } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { SCHEMA_VERSION } from '../storage/schema-state.ts'
import { type Json, print, printJson, report } from './terminal.ts'
import { inMembership } from './with-membership.ts'

export async function migrate({ json }: Json): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    await inMembership(config, (internals) => internals.membership.migrate())
    if (json) return printJson({ database: redactDatabaseUrl(config.database), schema: SCHEMA_VERSION })
    print(`${redactDatabaseUrl(config.database)} is up to date (schema ${SCHEMA_VERSION}).`)
  } catch (error) {
    await report(error, config)
  }
}
