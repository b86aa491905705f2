// @ts-check
/** The Node-RED line that fits a Node.js. */

/** The first Node.js that Node-RED 5 runs on. */
const NODE_FOR_5 = [22, 9];

/**
 * @param {string} nodeVersion such as "22.9.0"
 * @returns {"node-red" | "node-red-5"} the package's name in this repository: line 4.1, or line 5
 */
export function nodeRedPackage(nodeVersion) {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const [needMajor = 0, needMinor = 0] = NODE_FOR_5;
  const fits = major > needMajor || (major === needMajor && minor >= needMinor);
  return fits ? "node-red-5" : "node-red";
}
