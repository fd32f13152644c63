import { Editor } from "./editor";
import { View } from "./view";

// Every element with data-editor becomes an editor of the case whose URL that is.
async function start(root: HTMLElement): Promise<void> {
  const url = root.dataset.editor!;
  const answer = await fetch(`${url}/image.png`);
  if (!answer.ok) throw new Error(`the image: ${answer.status}`);
  const image = await createImageBitmap(await answer.blob());
  new Editor(root, new View(root.querySelector("canvas")!, image), url, image);
  root.dataset.ready = "true";
}

for (const root of document.querySelectorAll<HTMLElement>("[data-editor]")) {
  start(root).catch((e) => {
    root.querySelector<HTMLElement>("[data-status]")!.textContent = String(e);
  });
}
