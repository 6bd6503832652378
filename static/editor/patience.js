// What the server has no room for right now is asked again when it says.

const PATIENCE = 120; // seconds that are waited
const SOON = ["rate_limited", "busy", "too_many_calls"];

export async function patiently(work, doing, ask, signal) {
  for (;;)
    try {
      work.tell(doing);
      return await ask();
    } catch (error) {
      if (!SOON.includes(error.code) || !error.wait || error.wait > PATIENCE) throw error;
      work.tell(`${doing} The next may start in ${error.wait} s.`);
      await pause(error.wait, signal);
    }
}

export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
