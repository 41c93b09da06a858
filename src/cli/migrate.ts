// `guildhall migrate`: brings the database up to date, and makes it where it is missing.

import { readEnvironment } from '../server/env.ts'
import { configOf } from '../server/read-config.ts'
import { shownDatabase } from '../server/redact-database-url.ts'
import { SCHEMA_VERSION } from '../storage/schema-state.ts'
import { report, say, sayJson, t } from './terminal.ts'
import { inMembership } from './with-membership.ts'

export async function migrate({ json }: { readonly json: boolean }): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    await inMembership(config, (internals) => internals.membership.migrate())
    if (json) return sayJson({ database: shownDatabase(config), schema: SCHEMA_VERSION })
    say(t('cli.migrated', { database: shownDatabase(config), version: SCHEMA_VERSION }))
  } catch (error) {
    await report(error, config)
  }
}
