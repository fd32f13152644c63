import { defineConfig } from "vite";

// The editor is one script without a dependency; the server embeds it from serve/page/assets.
export default defineConfig({
  build: {
    outDir: "../serve/page/assets",
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: "src/main.ts", formats: ["es"], fileName: () => "editor.js" },
  },
});
