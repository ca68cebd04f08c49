import { useQuery } from '@tanstack/react-query';
import type { importProgress } from '../../../src/imports/imports.ts';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusinessQuery } from '../api/business-hooks.ts';

/** What every job has that takes a file in, whatever the file means. */
export type ImportJob = Omit<ReturnType<typeof importProgress>, 'id'> & { id: string };

export function isRunning(job: ImportJob): boolean {
  return job.state === 'receiving' || job.state === 'queued' || job.state === 'running';
}

const WATCH_MS = 700;

/** The newest jobs of a kind; one that runs is watched closely: its rows and rate move. */
export function useImportJobs<Job extends ImportJob>(path: string, limit: number) {
  const options = useBusinessQuery<Page<Job>>(path, { limit });
  return useQuery({
    ...options,
    refetchInterval: (query) =>
      query.state.data?.items.some(isRunning) === true ? WATCH_MS : options.refetchInterval,
  });
}
