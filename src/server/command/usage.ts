/** What `xrtc-server --help` prints. */
export const USAGE = `Usage: xrtc-server [options]
       xrtc-server account add | list | remove [options]

A local XRTC server. Ctrl+C, SIGINT or SIGTERM end it; SIGHUP reads accounts and certificate again.

Where it listens
  --port <number>           port, 0 for any free one (default 8480)
  --host <address>          address (default 127.0.0.1)
  --tls-cert <file>         certificate as PEM, with those between it and its authority
  --tls-key <file>          its private key as PEM; with both of them the server speaks HTTPS alone
  --tls-passphrase-file <file>  what the key is encrypted with
  --allow-insecure          allow plain HTTP beyond this machine
  --host-name <name>        further name under which clients reach it; may be repeated
  --path-prefix <path>      what stands before /v1 in its URLs, such as /xrtc
  --trusted-proxy <address> proxy whose X-Forwarded-For is believed; may be repeated
  --metrics <address:port>  serves /metrics (Prometheus) and /healthz there (default: nowhere)

Who may log in
  --accounts <file>         accounts and the hashes of their keys; xrtc-server account changes it
  --account <id>            one more account; else ACCOUNT_ID from the environment
  --key <key>               its API key; else API_KEY from the environment
                            (an argument can be seen in the list of processes)
  --env-file <file>         dotenv file with ACCOUNT_ID and API_KEY, or any variable of the environment

Where items are kept
  --engine <engine>         memory (default), or the redis:// or rediss:// URL of a Redis or Valkey
  --engine-url-file <file>  file with that URL, where there is a password in it
  --engine-prefix <text>    what the names of all keys in Redis begin with (default xrtc)
  --durability <class>      redis (default), or redis-aof: what is acknowledged is on Redis' disk

What it allows
  --preset <name>           limits: local (default) or hosted
  --limit <name=value>      one limit over those of the preset; may be repeated
  --bound <name=value>      one bound of what clients may take up of the process; may be repeated
  --extension <name=on|off> seq, idempotency, order (default: on with local); may be repeated
  --second-login <effect>   on the first session of the key: keep (default) or end

The command itself
  --config <file>           options from a JSON or JSON5 file
  --log-level <level>       error, warn, info (default) or debug; one JSON object a line, on stderr
  --help, --version

Each option may also be a variable of the environment, such as XRTC_SERVER_TLS_CERT, or a member of
the config file, such as tlsCert. An argument comes before a variable, a variable before the dotenv
file, that before the config file, that before the default.

Without any account the server makes one for this run, with a key, and prints them once.
`;

/** What `xrtc-server account --help` prints. */
export const ACCOUNT_USAGE = `Usage: xrtc-server account add    --accounts <file> [--account <id>] [--name <name>]
       xrtc-server account list   --accounts <file>
       xrtc-server account remove --accounts <file> --account <id> (--name <name> | --all)

Keeps the accounts of a server in a file: of each key only its SHA-256. A server that runs takes the
change by itself within some seconds.

  add       makes a key, and the account if there is none of that id, and prints the key this once
  list      prints accounts, and names and dates of their keys
  remove    takes a key away, or with --all the account; their sessions end

  --accounts <file>   the file; else XRTC_SERVER_ACCOUNTS, or accounts in the --config file
  --account <id>      account id, AC and digits (add: default a new one)
  --name <name>       name of the key (add: default key1, key2, …)
  --all               every key of the account
  --config <file>     config file of the server
`;
