// What a hijacked page of a bank might try. A title line, then the script that a press of Enter runs.

/// image from the local network
await add("img", {src: LAN + "/x.png"})

/// fetch from the local network
await fetch(LAN, {mode: "no-cors"});
await won()

/// XMLHttpRequest to the local network
const x = new XMLHttpRequest();
x.onload = () => won();
x.open("GET", LAN);
x.send();
await soon(250)

/// WebSocket to the local network
const s = new WebSocket(LAN.replace("http", "ws"));
s.onopen = () => won();
await soon(250)

/// EventSource to the local network
new EventSource(LAN);
await soon(250)

/// beacon to the local network
navigator.sendBeacon(LAN, 'secret');
await soon(250)

/// script from the local network
await add("script", {src: LAN + "/x.js"})

/// style from the local network
await add("link", {rel: "stylesheet", href: LAN + "/x.css"})

/// font from the local network
const f = new FontFace("x", `url(${LAN}/x.woff)`);
await f.load();
await won()

/// media from the local network
await add("video", {src: LAN + "/x.mp4", autoplay: 1})

/// object from the local network
await add("object", {data: LAN + "/x.pdf", type: "application/pdf"})

/// frame of the local network
frame(LAN);
await soon(300)

/// prefetch from the local network
await add("link", {rel: "prefetch", href: LAN + "/next"})

/// worker script from the local network
const b = new Blob([`importScripts("${LAN}/w.js")`]);
new Worker(URL.createObjectURL(b));
await soon(300)

/// picture that redirects to the local network
await add("img", {src: "/to?" + LAN})

/// fetch that redirects to the local network
await fetch("/to?" + LAN, {mode: "no-cors"});
await won()

/// form sent to the local network in a frame
document.body.insertAdjacentHTML("beforeend", `<iframe name=f></iframe><form id=g target=f method=post action="${LAN}">`);
document.getElementById("g").submit();
await soon(300)

/// link that pings the local network
document.body.insertAdjacentHTML("beforeend", `<a id=p href="#x" ping="${LAN}/ping">x</a>`);
document.getElementById("p").click();
await soon(300)

/// file as a picture
await add("img", {src: "file:///usr/share/pixmaps/debian-logo.png"})

/// file by fetch
await fetch("file:///etc/passwd");
await won()

/// our own address as a picture
await add("img", {src: RIGHT})

/// our own address by fetch
await fetch(RIGHT, {mode: "no-cors"});
await won()

/// picture from a site with a bad certificate
await add("img", {src: TLS + "/x.png"})

/// frame of a site with a bad certificate
frame(TLS);
await soon(400)

/// going to a file
location = "file:///etc/passwd";
await soon(200)

/// going to a data address
location = "data:text/html,<title>moved</title>";
await soon(200)

/// going to a blob
location = URL.createObjectURL(new Blob(["<title>moved</title>"], {type: "text/html"}));
await soon(200)

/// going to the local network
location = LAN;
await soon(200)

/// being redirected to the local network
location = "/to?" + LAN;
await soon(200)

/// being redirected to a file
location = "/to?file:///etc/passwd";
await soon(200)

/// refreshing to the local network
document.head.insertAdjacentHTML("beforeend", `<meta http-equiv=refresh content="0;url=${LAN}">`);
await soon(300)

/// going to another program
location = "myapp://open?x=1";
await soon(200)

/// frame of another program
frame("tel:123");
await soon(200)

/// going to the mail program
location = "mailto:a@b.example";
await soon(200)

/// going to the browser's own pages
location = "chrome://version";
await soon(200)

/// going to a page's source
location = "view-source:" + location;
await soon(200)

/// going to plain http elsewhere
location = "http://bank.example.com/";
await soon(200)

/// going to a name of the local network
location = "https://router.local/";
await soon(200)

/// our address in a frame
frame(RIGHT);
await soon(250)

/// our address in a frame by redirect
frame("/to?" + RIGHT);
await soon(250)

/// our address in a pop-up
open(RIGHT);
await soon(300)

/// our address in a pop-up by script
const w = open("/blank");
await soon(250);
w.location = RIGHT;
await soon(250)

/// a pop-up of the local network
open(LAN, "w", "width=300,height=300");
await soon(250)

/// a pop-up of a file
open("file:///etc/passwd");
await soon(250)

/// a flood of pop-ups
for (let i = 0;
i < 12;
i++) open('/blank', 'w' + i);
await soon(400)

/// the place of the person
await new Promise((y, n) => navigator.geolocation.getCurrentPosition(y, n, {timeout: 800}));
await won()

/// the microphone
await navigator.mediaDevices.getUserMedia({audio: true});
await won()

/// the camera
await navigator.mediaDevices.getUserMedia({video: true});
await won()

/// the screen
await navigator.mediaDevices.getDisplayMedia();
await won()

/// notifications
if (await Notification.requestPermission() === "granted") await won()

/// reading the clipboard
await navigator.clipboard.readText();
await won()

/// reading the clipboard by command
if (document.execCommand("paste")) await won()

/// full screen
await document.documentElement.requestFullscreen();
await won()

/// the mouse pointer
await document.body.requestPointerLock();
if (document.pointerLockElement) await won()

/// the keyboard
await navigator.keyboard.lock();
if (document.fullscreenElement) await won()

/// answering for a scheme
navigator.registerProtocolHandler("web+bank", "/x?%s");
await soon(200)

/// a file of the person
const [f] = await showOpenFilePicker();
await won(f.name)

/// a folder of the person
await showDirectoryPicker();
await won()

/// a file field
const i = document.createElement("input");
i.type = "file";
i.onchange = () => won(i.files[0].name);
i.click();
await soon(300)

/// a download
const a = document.createElement("a");
a.href = "/file";
a.download = "x.exe";
a.click();
await soon(400)

/// a download by its headers
location = "/attachment";
await soon(400)

/// a download from memory
const a = document.createElement("a");
a.href = URL.createObjectURL(new Blob(["x"]));
a.download = "y.exe";
a.click();
await soon(400)

/// a document
location = "/document.pdf";
await soon(400)

/// printing
print();
await soon(200)

/// an alert
alert("Your computer is infected");
await soon(100)

/// a question
if (confirm("Install?")) await won()

/// a prompt
if (prompt("Password?") !== null) await won()

/// a security key
await navigator.credentials.get({publicKey: {challenge: new Uint8Array(16), timeout: 300}});
await won()

/// a USB device
await navigator.usb.requestDevice({filters: []});
await won()

/// a serial port
await navigator.serial.requestPort();
await won()

/// a Bluetooth device
await navigator.bluetooth.requestDevice({acceptAllDevices: true});
await won()

/// the fonts of the computer
const f = await queryLocalFonts();
if (f.length) await won()

/// a bridge to the program
if (typeof qt !== "undefined" || typeof QWebChannel !== "undefined") await won()

/// the address of the computer by WebRTC
const p = new RTCPeerConnection();
p.createDataChannel('x');
await p.setLocalDescription();
await soon(500);
if (p.localDescription.sdp.includes(new URL(LAN).hostname)) await won()

/// storage that stays
if (await navigator.storage.persist()) await won()

/// push messages
const r = await navigator.serviceWorker.register('/worker.js');
await r.pushManager.subscribe({userVisibleOnly: true});
await won()

/// moving the window
moveTo(0, 0);
resizeTo(4000, 4000);
await soon(100)
