import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ExperimentView, ResultView } from '../../../src/experiments/experiment-schemas.ts';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

export type { ExperimentView, ResultView };
export type WithResult = ExperimentView & { result: ResultView };
export type ArmOverrides = ExperimentView['arms'][number]['overrides'];
export type ExperimentBody = {
  name: string;
  layer: string;
  share: number;
  metric: ExperimentView['metric'];
  baseline: number;
  smallestEffect: number;
  power: number;
  windowHours: number;
  arms: Array<{ name: string; weight: number; overrides: ArmOverrides }>;
};
export type SizeView = { peoplePerArm: number; people: number };

export function useExperiments() {
  return useQuery(useBusinessQuery<Page<ExperimentView>>('/v1/experiments', { limit: 100 }));
}

export function useExperiment(id: string) {
  return useQuery(useBusinessQuery<WithResult>(`/v1/experiments/${id}`, {}));
}

/** How many people a plan needs; asked only for figures that can be a plan. */
export function useSize(
  plan: Pick<ExperimentBody, 'baseline' | 'smallestEffect' | 'power'>,
  arms: number,
) {
  const { baseline, smallestEffect, power } = plan;
  const query = { baseline, smallestEffect, power, arms };
  return useQuery({
    ...useBusinessQuery<SizeView>('/v1/experiments/size', query),
    enabled: [baseline, smallestEffect, power].every((share) => share > 0 && share < 1),
    placeholderData: keepPreviousData,
    refetchInterval: false,
    retry: false,
  });
}

export function useCreateExperiment() {
  return useSending<ExperimentBody, ExperimentView>('/v1/experiments');
}

/** Starts, stops or decides an experiment; a second time is refused by its state. */
export function useMoveExperiment(id: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ move, body = {} }: { move: 'start' | 'stop' | 'decide'; body?: object }) =>
      client.post<ExperimentView>(`/v1/experiments/${id}/${move}`, body),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
