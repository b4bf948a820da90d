// Pages that do something the program must notice; tests ask for them by name.

/// leave
addEventListener('beforeunload', e => { e.preventDefault();
e.returnValue = 'x';
});
location = '/blank'

/// close
close()

/// nag
while (true) alert('Call this number')

/// spin
while (true) {}

/// popup
open('/blank', 'w', 'width=400,height=300')

/// answer
location = RIGHT + '&connection_id=311'

/// answer-by-redirect
location = '/to?' + RIGHT

/// guess
location = BACK + '?state=guess'

/// guess-then-answer
location = BACK + '?state=guess';
await soon(200);
location = RIGHT

/// mark
localStorage.setItem('k', 'MARKER-local');
document.cookie = 'k=MARKER-cookie;max-age=999999';
await caches.open('c').then(c => c.put('/k', new Response('MARKER-cache')));
await new Promise(r => { const o = indexedDB.open('MARKER-base');
o.onsuccess = r;
o.onerror = r;
});
await fetch('/blank?MARKER-address')
