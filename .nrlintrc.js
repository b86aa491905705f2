/** How the example flows are linted: every rule is an error, because an example is copied as it is. */
const error = { severity: "error" };

module.exports = {
  rules: {
    "align-to-grid": { gridSize: 20, ...error },
    "max-flow-size": { maxSize: 100, ...error },
    "no-duplicate-http-in-urls": error,
    "no-loops": error,
    "no-overlapping-nodes": error,
    "no-unconnected-http-nodes": error,
    "no-unnamed-functions": error,
    "no-unnamed-links": error,
    "function-eslint": true,
  },
};
