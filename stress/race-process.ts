// A server of a race in a process of its own: is told on the command line what it is, and tells its parent where it listens.
import { openRaceServer } from './race-environment.ts'
import { openMembership } from './race-membership.ts'

const choice = JSON.parse(process.argv[2] ?? '{}')
const { base } = await (choice.middleware === 'membership' ? openMembership(choice.target) : openRaceServer(choice))
process.send?.({ base })
