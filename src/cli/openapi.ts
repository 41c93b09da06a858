// `guildhall openapi`: what `/openapi.json` of this site says, without a server and its stores.
import { newToken, Secret } from '../domain/secret.ts'
import { configOf } from '../server/config.ts'
import { describeServer } from '../server/describe-server.ts'
import { readEnvironment } from '../server/env.ts'
import { printJson, report } from './terminal.ts'
import { inMembership } from './with-membership.ts'

export async function printDescription(): Promise<void> {
  try {
    const { membership, ...config } = configOf(readEnvironment())
    const { redis: _, ...options } = membership
    // Nothing is made, and nothing that is there is looked at.
    const apart = { database: 'sqlite::memory:', databaseFile: undefined, secrets: [new Secret(newToken())], membership: options }
    await inMembership({ ...config, ...apart }, async (internals) => printJson(describeServer(internals)))
  } catch (error) {
    await report(error)
  }
}
