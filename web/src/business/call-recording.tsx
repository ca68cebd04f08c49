import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Page } from '../../../src/http/api-types.ts';
import type { RecordingView } from '../../../src/recording/recording-views.ts';
import { useBusinessQuery } from '../api/business-hooks.ts';
import { recordingWords } from './recording-words.ts';

/** Links last longer than anybody listens to one page. */
const LINK_MINUTES = 60;

/** What there is to hear of a call: a player and both files for each recording. */
export function CallRecordings(props: { callId: string }) {
  const path = `/v1/calls/${props.callId}/recording`;
  const recordings = useQuery(
    useBusinessQuery<Page<RecordingView>>(path, { linkMinutes: LINK_MINUTES }),
  );
  const items = recordings.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section aria-label="Recordings" className="flex flex-col gap-2">
      <h3 className="text-sm font-bold">Recordings</h3>
      <ul className="flex flex-col gap-2">
        {items.map((recording, index) => (
          <li key={recording.id} className="flex flex-col gap-1 text-sm">
            <p role="status">{recordingWords(recording)}</p>
            {recording.links !== null && (
              <Player links={recording.links} name={`Recording ${index + 1}`} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Player(props: { links: NonNullable<RecordingView['links']>; name: string }) {
  const { name } = props;
  // Every look brings new links; a player that was given one would begin from the start.
  const [links] = useState(props.links);
  return (
    <div className="flex flex-wrap items-center gap-3">
      <audio
        controls
        preload="none"
        src={links.ogg}
        aria-label={`${name}: customer on the left, endpoint on the right`}
        className="h-9 max-w-full min-w-0 flex-1 basis-60"
      />
      <a href={links.ogg} download className="underline" aria-label={`${name} as Ogg Opus`}>
        Ogg
      </a>
      <a href={links.wav} download className="underline" aria-label={`${name} as WAV`}>
        WAV
      </a>
    </div>
  );
}
