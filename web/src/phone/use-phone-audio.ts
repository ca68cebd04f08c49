import { useCallback, useEffect, useRef, useState } from 'react';
import type { SimCall } from '../../../simulator/control-types.ts';
import { useSimulator } from '../api/simulator-hooks.tsx';
import { openPhoneAudio, type PhoneAudio } from './phone-audio.ts';

export type PhoneSound = {
  status: 'off' | 'opening' | 'on';
  audio: PhoneAudio | null;
  /** Why there is no sound although the call goes on; null while all is well. */
  problem: { message: string; fix: string } | null;
  muted: boolean;
  setMuted(muted: boolean): void;
  /** Opens microphone and loudspeaker; resolves also when that fails, so the call goes on. */
  open(): Promise<void>;
};

/** Keeps at most one sound path, and closes it when the call it belongs to is over. */
export function usePhoneAudio(number: string, call: SimCall | null): PhoneSound {
  const simulator = useSimulator();
  const current = useRef<PhoneAudio | null>(null);
  /** Counts openings and closings: what was opened for a call that is over is closed at once. */
  const generation = useRef(0);
  const [status, setStatus] = useState<PhoneSound['status']>('off');
  const [problem, setProblem] = useState<PhoneSound['problem']>(null);
  const [muted, setMutedState] = useState(false);

  const close = useCallback((): void => {
    generation.current += 1;
    current.current?.close();
    current.current = null;
    setStatus('off');
    setProblem(null);
    setMutedState(false);
  }, []);

  const callId = call?.id ?? null;
  useEffect(() => close, [callId, number, close]);

  const open = async (): Promise<void> => {
    if (simulator === null) return;
    close();
    const mine = generation.current;
    setStatus('opening');
    try {
      const audio = await openPhoneAudio((offer) => simulator.client.attachPhone(number, offer));
      if (generation.current !== mine) {
        audio.close();
        return;
      }
      current.current = audio;
      setStatus('on');
      setProblem(audio.microphoneProblem);
    } catch (error) {
      if (generation.current !== mine) return;
      setStatus('off');
      setProblem(soundProblem(error));
    }
  };

  return {
    status,
    audio: status === 'on' ? current.current : null,
    problem,
    muted,
    setMuted(next) {
      current.current?.setMuted(next);
      setMutedState(next);
    },
    open,
  };
}

function soundProblem(error: unknown): { message: string; fix: string } {
  const message = error instanceof Error ? error.message : String(error);
  const fix =
    error instanceof Error && 'fix' in error && typeof error.fix === 'string'
      ? error.fix
      : 'The call goes on without sound here; try again with "Connect sound".';
  return { message, fix };
}
