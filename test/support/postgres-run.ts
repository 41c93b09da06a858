// Before the tests of the application run on PostgreSQL: one database for all of them, dropped when they are over.
import type { TestProject } from 'vitest/node'
import { makeDatabase } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres?: string
  }
}

export default async function prepare(project: TestProject): Promise<() => Promise<void>> {
  const database = await makeDatabase()
  project.provide('postgres', database.url)
  return () => database.drop()
}
