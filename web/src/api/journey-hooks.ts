import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';
import { useIntentKey } from './intent-key.ts';

export type DrawnStep = {
  name: string;
  do: string;
  about: string;
  ways: Array<{ by: string; to: string }>;
};
export type JourneyDocument = {
  name: string;
  variables?: Record<string, { type?: string; about?: string; default?: string }>;
  [field: string]: unknown;
};
export type JourneyView = {
  id: string;
  name: string;
  version: number;
  readyKey: string | null;
  createdAt: string;
  updatedAt: string;
  journey: JourneyDocument;
};
export type ListedJourney = JourneyView & { liveRuns: number };
export type ReadyView = { key: string; title: string; about: string; journey: JourneyDocument };
export type JourneyProblemView = { step: string | null; field: string; rule: string; fix: string };
export type JourneyCheck = {
  ok: boolean;
  problems: JourneyProblemView[];
  diagram: string | null;
  drawing: DrawnStep[];
};
export type RunStep = { step: string; do: string; at: string; outcome: string; next: string };
export type RunView = {
  id: string;
  journeyId: string;
  version: number;
  contactId: string;
  status: 'live' | 'ended';
  step: string;
  waitsFor: 'time' | 'answer' | 'call' | null;
  dueAt: string | null;
  end: string | null;
  callId: string | null;
  startedAt: string;
  endedAt: string | null;
  steps: RunStep[];
};
export type DryRunView = { end: string; steps: Array<RunStep & { text: string | null }> };
export type StartWish = {
  to: string;
  variables: Record<string, string>;
  experimentId?: string;
};

export function useJourneys() {
  return useQuery(useBusinessQuery<Page<ListedJourney>>('/v1/journeys', { limit: 100 }));
}

export function useReadyJourneys() {
  return useQuery(useBusinessQuery<{ items: ReadyView[] }>('/v1/journeys/ready', {}));
}

export function useVersions(id: string) {
  type Versions = Page<{ version: number; createdAt: string }>;
  return useQuery(useBusinessQuery<Versions>(`/v1/journeys/${id}/versions`, {}));
}

export function useRuns(journeyId: string | null, after: string | undefined) {
  const query = { journeyId: journeyId ?? undefined, after, limit: 10 };
  const options = useBusinessQuery<Page<RunView>>('/v1/journey-runs', query);
  return useQuery({ ...options, placeholderData: keepPreviousData });
}

export function useRun(id: string) {
  return useQuery(useBusinessQuery<RunView>(`/v1/journey-runs/${id}`, {}));
}

/** What is wrong with a journey while it is being written, or how it looks. */
export function useJourneyCheck(journey: string | null) {
  const { client } = useBusiness();
  return useQuery({
    queryKey: ['journey-check', client.apiKey, journey],
    enabled: journey !== null,
    queryFn: () =>
      client.post<JourneyCheck>('/v1/journeys/check', {
        journey: JSON.parse(journey ?? '{}') as unknown,
      }),
    placeholderData: keepPreviousData,
  });
}

/** Saves a new journey, or a new version of one. */
export function useSaveJourney() {
  const intent = useIntentKey();
  return useChange(({ client }, { id, journey }: { id: string | null; journey: unknown }) =>
    id === null
      ? client.post<JourneyView>('/v1/journeys', journey, intent.keyFor(journey))
      : client.put<JourneyView>(`/v1/journeys/${id}`, journey),
  );
}

export function useInstall() {
  return useChange(({ client }, key: string) =>
    client.post<JourneyView>(`/v1/journeys/ready/${key}`, {}),
  );
}

export function useDeleteJourney() {
  return useChange(({ client }, id: string) => client.delete<null>(`/v1/journeys/${id}`));
}

export function useStartRun(id: string) {
  return useSending<StartWish, RunView>(`/v1/journeys/${id}/runs`);
}

export function useCancelRun() {
  return useChange(({ client }, id: string) =>
    client.post<RunView>(`/v1/journey-runs/${id}/cancel`, {}),
  );
}

export function useCancelAll() {
  return useChange(({ client }, id: string) =>
    client.post<{ journeyId: string }>(`/v1/journeys/${id}/cancel-runs`, {}),
  );
}

export function useDryRun(id: string) {
  const { client } = useBusiness();
  return useMutation({
    mutationFn: (body: object) => client.post<DryRunView>(`/v1/journeys/${id}/dry-run`, body),
  });
}

function useChange<Wish, Result>(
  change: (business: ReturnType<typeof useBusiness>, wish: Wish) => Promise<Result>,
) {
  const business = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => change(business, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
