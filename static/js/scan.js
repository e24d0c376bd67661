// Scanning a QR code with the phone's camera or from a photo, where the browser can. Without it the code is typed.
const section = document.getElementById("scanner");
const form = document.getElementById("scan-form");
const input = document.getElementById("code");
const said = document.getElementById("scan-said");

function found(text) {
  input.value = text;
  form.submit();
}

if ("BarcodeDetector" in window && section) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const video = document.getElementById("scan-video");
  section.hidden = false;

  document.getElementById("scan-photo").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    try {
      const codes = await detector.detect(await createImageBitmap(file));
      if (codes.length) return found(codes[0].rawValue);
    } catch {
      // said below
    }
    said.textContent = section.dataset.none;
  });

  document.getElementById("scan-start").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      said.textContent = section.dataset.none;
      return;
    }
    video.hidden = false;
    await video.play();
    const look = async () => {
      const codes = await detector.detect(video).catch(() => []);
      if (codes.length) {
        for (const track of video.srcObject.getTracks()) track.stop();
        return found(codes[0].rawValue);
      }
      requestAnimationFrame(look);
    };
    look();
  });
}
