// `guildhall openapi`: prints `/openapi.json` of this site, without a server and its stores.
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
    // Neither the site's database nor its secret file is opened or created.
    const memory = { database: 'sqlite::memory:', databaseFile: undefined, secrets: [new Secret(newToken())] }
    await inMembership({ ...config, ...memory, membership: options }, async (internals) => printJson(describeServer(internals)))
  } catch (error) {
    await report(error)
  }
}
