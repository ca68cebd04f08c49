import type { PhoneSession } from '../../../simulator/control-types.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { openMicrophone, type MicrophoneProblem } from './microphone.ts';

/** Reads a level now: root mean square of the last 40 ms, 0 to 1. */
export type LevelReader = () => number;

/** The sound of one call on this phone: microphone out, loudspeaker in. */
export type PhoneAudio = {
  microphoneProblem: MicrophoneProblem | null;
  heard: LevelReader;
  spoken: LevelReader;
  setMuted(muted: boolean): void;
  close(): void;
};

const GATHERING_MS_MAX = 2_000;

/**
 * Joins the browser to the person's phone over WebRTC: offer here, answer from the simulator.
 * Host candidates only (no ICE servers): page and simulator are on one machine or one network.
 *
 * @param attach hands the offer over and brings the answer back; what it throws is thrown on
 */
export async function openPhoneAudio(
  attach: (offer: PhoneSession) => Promise<PhoneSession>,
): Promise<PhoneAudio> {
  const context = new AudioContext();
  const connection = new RTCPeerConnection();
  const microphone = await openMicrophone(context);
  const speaker = new Audio();
  const close = (): void => {
    speaker.srcObject = null;
    connection.close();
    microphone.close();
    if (context.state !== 'closed') void context.close();
  };
  try {
    void context.resume();
    for (const track of microphone.stream.getTracks()) {
      connection.addTrack(track, microphone.stream);
    }
    const heard = new MediaStream();
    connection.addEventListener('track', ({ track }) => heard.addTrack(track));
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    const sdp = connection.localDescription?.sdp ?? '';
    await connection.setRemoteDescription(await attach({ type: 'offer', sdp }));
    play(speaker, heard);
    return {
      microphoneProblem: microphone.problem,
      heard: levelOf(context, heard),
      spoken: levelOf(context, microphone.stream),
      setMuted(muted) {
        for (const track of microphone.stream.getAudioTracks()) track.enabled = !muted;
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The control API takes one offer with all candidates in it, so the gathering must be over. */
function gathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.after(GATHERING_MS_MAX, resolve);
    const look = (): void => {
      if (connection.iceGatheringState !== 'complete') return;
      timer.cancel();
      resolve();
    };
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });
}

/** Chromium feeds an analyser from a remote track only while an element plays that track too. */
export function play(speaker: HTMLAudioElement, stream: MediaStream): void {
  speaker.autoplay = true;
  speaker.srcObject = stream;
  // The press on Answer allows sound; where a browser still says no, the meters keep working.
  speaker.play().catch(() => undefined);
}

export function levelOf(context: AudioContext, stream: MediaStream): LevelReader {
  if (stream.getAudioTracks().length === 0) return () => 0;
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return () => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    return Math.sqrt(sum / samples.length);
  };
}
