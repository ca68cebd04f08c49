import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type {
  CampaignView,
  MemberView,
  PreviewView,
} from '../../../src/campaigns/campaign-schemas.ts';
import type { ContactImportView } from '../../../src/contacts/contact-import-commands.ts';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

export type { CampaignView, MemberView, PreviewView };
export type VariableSource = { text: string } | { column: string };
export type CampaignWish = {
  name: string;
  lineId?: string;
  audience: Record<string, unknown>;
  journeyId?: string;
  experimentId?: string;
  ask?: Record<string, unknown>;
  variables: Record<string, VariableSource>;
} & Partial<CampaignPace>;
/** What may be changed also while it runs; null takes a limit away. */
export type CampaignPace = {
  startsPerMinute: number;
  window: { days: number[]; from: string; until: string; timeZone: string } | null;
  priority: number | null;
  callsPerSecond: number | null;
  concurrentCalls: number | null;
  endAt: string | null;
};
export type CampaignMove = 'start' | 'pause' | 'resume' | 'stop' | 'preview';

/** What moves is watched closely: people begin, a preview counts, a pause is asked for. */
const WATCH_MS = 1_000;

function isMoving({ state, gathering, preview }: CampaignView): boolean {
  return state === 'running' || gathering || preview?.state === 'counting';
}

export function useCampaigns() {
  const options = useBusinessQuery<Page<CampaignView>>('/v1/campaigns', { limit: 50 });
  return useQuery({
    ...options,
    refetchInterval: (query) =>
      query.state.data?.items.some(isMoving) === true ? WATCH_MS : options.refetchInterval,
  });
}

export function useCampaign(id: string) {
  const options = useBusinessQuery<CampaignView>(`/v1/campaigns/${id}`, {});
  return useQuery({
    ...options,
    refetchInterval: (query) =>
      query.state.data !== undefined && isMoving(query.state.data)
        ? WATCH_MS
        : options.refetchInterval,
  });
}

export type MemberFilter = { state?: MemberView['state']; reason?: string };

export function useMembers(id: string, filter: MemberFilter, after: string | undefined) {
  const query = { ...filter, after, limit: 10 };
  const options = useBusinessQuery<Page<MemberView>>(`/v1/campaigns/${id}/members`, query);
  return useQuery({ ...options, placeholderData: keepPreviousData });
}

export function useContactFiles() {
  return useQuery(useBusinessQuery<Page<ContactImportView>>('/v1/contact-imports', { limit: 20 }));
}

export function useCreateCampaign() {
  return useSending<CampaignWish, CampaignView>('/v1/campaigns');
}

export function useChangeCampaign(id: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (pace: CampaignPace) => client.patch<CampaignView>(`/v1/campaigns/${id}`, pace),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

export function useMoveCampaign(id: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (move: CampaignMove) =>
      client.post<CampaignView>(`/v1/campaigns/${id}/${move}`, {}),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
