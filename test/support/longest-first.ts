// The order of the test files: the proofs take minutes and begin first, so that nobody waits for them alone in the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isProof = ({ moduleId }: TestSpecification) => moduleId.includes('/test/prove/')
    return [...sorted.filter(isProof), ...sorted.filter((file) => !isProof(file))]
  }
}
