import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type RecordingSettings = {
  retentionDays: number;
  /** Name of a prompt; null: the server's own words, in the customer's language. */
  announcementPrompt: string | null;
};

export function useRecordingSettings() {
  return useQuery(useBusinessQuery<RecordingSettings>('/v1/recording-settings', {}));
}

export function useSetRecordings() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: RecordingSettings) =>
      client.patch<RecordingSettings>('/v1/recording-settings', wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
