/** Four ways to get items. Account, key and URLs: from the environment, else from `xrtc.env` in this folder. */
import { XrtcClient } from "@xrtc-community/node-red-xrtc";

const client = new XrtcClient();
const portals = ["exampleportal"];

async function print(label, items) {
  for await (const { payload } of items) {
    console.log(`${label}: ${payload}`);
    if (payload === `${label} 3`) break; // leaving the loop ends the request
  }
}

const set = (payload) => client.setItems([{ portalId: "exampleportal", payload }]);

async function setThree(label) {
  for (const number of [1, 2, 3]) await set(`${label} ${number}`);
}

try {
  // probe: one answer at once, with what there is
  await set("probe 3");
  await print("probe", client.getItems({ portals }));

  // watch: one answer as soon as there is something new; nothing if that takes longer than 5 s
  const watch = client.getItems({ portals, mode: "watch" });
  await Promise.all([print("watch", watch), setThree("watch")]);

  // stream: one answer that stays open for 5 s, with what is new and then each item as it arrives
  const stream = client.getItems({ portals, mode: "stream", schedule: "FIFO" });
  await Promise.all([print("stream", stream), setThree("stream")]);

  // subscribe: on and on, through outages, until it is closed
  const { serverTimestamp } = await set("subscribe 0");
  const subscription = client.subscribe({
    portals,
    start: { since: serverTimestamp },
    signal: AbortSignal.timeout(30_000),
  });
  await Promise.all([print("subscribe", subscription), setThree("subscribe")]);
} finally {
  await client.close();
}
