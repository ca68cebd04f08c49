import { useEffect, useRef, useState } from 'react';
import { LevelMeter } from '../phone/level-meter.tsx';
import { openMicrophone, type MicrophoneProblem } from '../phone/microphone.ts';
import { levelOf, type LevelReader } from '../phone/phone-audio.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { HelpNote } from './help-note.tsx';

/** Shows that the microphone picks something up, before a customer is on the line. */
export function MicrophoneCard(props: { inCall: boolean }) {
  const stop = useRef<(() => void) | null>(null);
  const [read, setRead] = useState<LevelReader | null>(null);
  const [problem, setProblem] = useState<MicrophoneProblem | null>(null);
  const end = (): void => {
    stop.current?.();
    stop.current = null;
    setRead(null);
  };
  useEffect(() => end, [props.inCall]);
  const begin = async (): Promise<void> => {
    const context = new AudioContext();
    const microphone = await openMicrophone(context);
    stop.current = () => {
      microphone.close();
      void context.close();
    };
    setProblem(microphone.problem);
    if (microphone.problem !== null) return end();
    const level = levelOf(context, microphone.stream);
    setRead(() => level);
  };
  return (
    <Card
      title="Microphone"
      aside={
        <Button
          look="quiet"
          blocked={props.inCall}
          onClick={() => (read === null ? void begin() : end())}
        >
          {read === null ? 'Check it' : 'Stop the check'}
        </Button>
      }
    >
      {problem !== null && <HelpNote {...problem} />}
      {read !== null && (
        <div className="rounded-xl bg-[#1b1a22] p-3 text-white">
          <LevelMeter label="You say" read={read} />
        </div>
      )}
      <p className="text-sm text-muted">
        {read === null
          ? 'Nothing is listened to before you check it, or answer a call.'
          : 'Speak: the bar moves with your voice. Nothing of it leaves this computer.'}
      </p>
    </Card>
  );
}
