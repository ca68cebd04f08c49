import { useEffect, useRef, useState } from 'react';
import type { AgentMeView } from '../../../src/agents/agent-views.ts';
import { problemOf } from '../api/business-client.ts';
import type { AgentLink } from './use-agent.ts';
import { keepCall, isKept, letCallGo } from './kept-call.ts';
import { answerOffer, type SoftphoneAudio } from './softphone-audio.ts';

type Call = NonNullable<AgentMeView['call']>;
type Problem = { message: string; fix: string };

export type Softphone = {
  /** The sound of the call, where this tab has it. */
  audio: SoftphoneAudio | null;
  opening: boolean;
  muted: boolean;
  problem: Problem | null;
  /** This tab had the sound before it was loaded again, and is taking it back. */
  comesBack: boolean;
  answer(call: Call): Promise<void>;
  setMuted(muted: boolean): void;
};

const NO_NETWORK: Problem = {
  message: 'No sound comes through between this browser and the server.',
  fix: 'Let UDP out of your network (a VPN or firewall may stop it), then take the next call.',
};

/** The sound of at most one call, closed when the call is over or the page goes. */
export function useSoftphone({ client, me }: AgentLink): Softphone {
  const current = useRef<{ callId: string; audio: SoftphoneAudio } | null>(null);
  const [audio, setAudio] = useState<SoftphoneAudio | null>(null);
  const [opening, setOpening] = useState(false);
  const [muted, setMutedState] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const call = me?.call ?? null;
  const callId = call?.id ?? null;
  const comesBack = call !== null && call.returning && isKept(call.id);

  const close = (): void => {
    current.current?.audio.close();
    current.current = null;
    setAudio(null);
    setMutedState(false);
  };
  useEffect(() => {
    // The word of the answer may still be under way while the audio is open already.
    if (current.current !== null && current.current.callId !== callId && !opening) close();
    if (me !== null && callId === null && !opening && me.reservedFor === null) letCallGo();
  }, [callId, opening, me]);
  useEffect(() => leaveWith(current, client.apiKey), [client]);

  const phone: Softphone = {
    audio,
    opening,
    muted,
    problem,
    comesBack,
    async answer(call) {
      setOpening(true);
      setProblem(null);
      const onLost = (): void => setProblem(NO_NETWORK);
      try {
        const opened = await answerOffer(
          call.offer,
          (sdp) => client.post(`/v1/agents/me/calls/${call.id}/answer`, { sdp }),
          onLost,
        );
        current.current = { callId: call.id, audio: opened };
        keepCall(call.id);
        setAudio(opened);
        setProblem(opened.microphoneProblem);
      } catch (error) {
        const { detail: message, fix } = problemOf(error);
        setProblem({ message, fix });
      } finally {
        setOpening(false);
      }
    },
    setMuted(next) {
      current.current?.audio.setMuted(next);
      setMutedState(next);
    },
  };
  const offer = comesBack ? call.offer : null;
  // The customer waits with music: nobody has to press anything a second time.
  useEffect(() => {
    if (offer === null || call === null || current.current?.callId === call.id) return;
    void phone.answer(call);
  }, [offer]);
  return phone;
}

/**
 * The sound of a call lives in this page alone. Whoever leaves it is asked first; who goes all the
 * same says so, and the customer hears music for as long as they may be back.
 */
function leaveWith(
  current: { readonly current: { callId: string; audio: SoftphoneAudio } | null },
  token: string,
): () => void {
  const ask = (event: BeforeUnloadEvent): void => {
    if (current.current !== null) event.preventDefault();
  };
  const leave = (): void => {
    const open = current.current;
    if (open === null) return;
    const init = { method: 'POST', keepalive: true, headers: { authorization: `Bearer ${token}` } };
    void fetch(`/v1/agents/me/calls/${open.callId}/leave`, init);
    open.audio.close();
  };
  addEventListener('beforeunload', ask);
  addEventListener('pagehide', leave);
  return () => {
    removeEventListener('beforeunload', ask);
    removeEventListener('pagehide', leave);
    current.current?.audio.close();
  };
}
