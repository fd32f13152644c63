package serve

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter slows down each client by itself.
type limiter struct {
	mu      sync.Mutex
	clients map[string]*client
	every   rate.Limit
	burst   int
	swept   time.Time
}

type client struct {
	limit *rate.Limiter
	seen  time.Time
}

// forgetAfter is how long a silent client is remembered.
const forgetAfter = 10 * time.Minute

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{clients: map[string]*client{}, every: rate.Limit(perSecond), burst: burst, swept: time.Now()}
}

// allow reports whether the request's client may go on.
func (l *limiter) allow(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > forgetAfter {
		for name, c := range l.clients {
			if now.Sub(c.seen) > forgetAfter {
				delete(l.clients, name)
			}
		}
		l.swept = now
	}
	c := l.clients[host]
	if c == nil {
		c = &client{limit: rate.NewLimiter(l.every, l.burst)}
		l.clients[host] = c
	}
	c.seen = now
	return c.limit.AllowN(now, 1)
}
