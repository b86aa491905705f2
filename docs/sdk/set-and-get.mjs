/** Sets an item and gets it back. Account, key and URLs: from the environment, else from `xrtc.env` in this folder. */
import { XrtcClient } from "@xrtc-community/node-red-xrtc";

const client = new XrtcClient();
try {
  await client.setItems([{ portalId: "exampleportal", payload: "examplepayload" }]);

  for await (const item of client.getItems({ portals: ["exampleportal"] })) {
    console.log(item);
  }
} finally {
  await client.close();
}
