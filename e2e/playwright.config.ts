import { defineConfig } from "@playwright/test";

// DEMO is the folder of a finished `sonotype demo`, SONOTYPE the program, CHROMIUM a browser of the machine.
const port = 18080;

export default defineConfig({
  testDir: ".",
  timeout: 60_000,
  workers: 1,
  reporter: "list",
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1400, height: 1000 },
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] },
  },
  webServer: {
    command: `rm -rf test-results/data && ${process.env.SONOTYPE} serve --bundle ${process.env.DEMO}/run/10-bundle/model.sono --addr 127.0.0.1:${port} --data test-results/data --keep-identifiers`,
    url: `http://127.0.0.1:${port}/api/ready`,
    timeout: 60_000,
    stdout: "pipe",
  },
});
