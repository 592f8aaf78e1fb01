// Calls that are heard: a chime by Web Audio, and a voice where the browser has one for the language. Browsers let a page sound once
// somebody has touched it, or where they were started so (--autoplay-policy=no-user-gesture-required).

const NOTES = [[880, 0], [659.3, 0.35]]; // a fifth and a fourth above A4, in hertz, and when in seconds
const NOTE_SECONDS = 0.9;
const LOUD = 0.4;
const SPEED = 0.9;
let sound = null;

export const isSilent = () => sound?.state !== "running";

export const letSound = (then) => {
  sound ||= new AudioContext();
  sound.onstatechange = then;
  sound.resume().then(then, () => {});
};

export const chime = () => {
  if (isSilent()) {
    return;
  }
  for (const [pitch, after] of NOTES) {
    const start = sound.currentTime + after;
    const tone = new OscillatorNode(sound, { type: "sine", frequency: pitch });
    const volume = new GainNode(sound, { gain: 0 });
    volume.gain.linearRampToValueAtTime(LOUD, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + NOTE_SECONDS);
    tone.connect(volume).connect(sound.destination);
    tone.onended = () => volume.disconnect();
    tone.start(start);
    tone.stop(start + NOTE_SECONDS);
  }
};

// Who calls faster than a voice speaks has the newest call spoken.
export const speak = (lines) => {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  if (isSilent() || !voices.length) {
    return;
  }
  if (speechSynthesis.pending) {
    speechSynthesis.cancel();
  }
  for (const { lang, text } of lines) {
    const voice = voices.find((each) => each.lang.toLowerCase().startsWith(lang.toLowerCase().slice(0, 2)));
    if (voice) {
      const said = new SpeechSynthesisUtterance(text);
      said.voice = voice;
      said.lang = voice.lang;
      said.rate = SPEED;
      speechSynthesis.speak(said);
    }
  }
};
