/** What the phone sends: the microphone, or silence where there is none to be had. */
export type Microphone = {
  stream: MediaStream;
  problem: MicrophoneProblem | null;
  close(): void;
};

/** Why nothing is picked up, and what the person at the screen can do about it. */
export type MicrophoneProblem = { message: string; fix: string };

export async function openMicrophone(context: AudioContext): Promise<Microphone> {
  try {
    // Absent on plain http from another machine: browsers give the microphone to secure origins.
    if (!('mediaDevices' in navigator)) throw new DOMException('', 'SecurityError');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return { stream, problem: null, close: () => stopTracks(stream) };
  } catch (error) {
    const silence = openSilence(context);
    return { ...silence, problem: problemNamed(error instanceof Error ? error.name : '') };
  }
}

/**
 * A running source with gain 0. The call needs packets, not sound: WhatsApp ends a call whose
 * sender stays quiet on the wire, and a track without a source sends nothing.
 */
function openSilence(context: AudioContext): { stream: MediaStream; close(): void } {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const destination = context.createMediaStreamDestination();
  gain.gain.value = 0;
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  return {
    stream: destination.stream,
    close() {
      oscillator.stop();
      stopTracks(destination.stream);
    },
  };
}

function problemNamed(name: string): MicrophoneProblem {
  switch (name) {
    case 'NotAllowedError':
      return {
        message: 'The microphone was refused, so the other side hears silence.',
        fix: 'Allow the microphone for this site beside the address bar, then call again.',
      };
    case 'NotFoundError':
      return {
        message: 'This computer has no microphone, so the other side hears silence.',
        fix: 'Plug one in or pick one in the system settings, then call again.',
      };
    case 'SecurityError':
      return {
        message: 'Browsers open the microphone only on localhost or https.',
        fix: 'Open this page as http://localhost or put it behind https.',
      };
    default:
      return {
        message: 'The microphone could not be opened, so the other side hears silence.',
        fix: 'Close other programs that use the microphone, then call again.',
      };
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
