package serve

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter slows down each client by itself.
type limiter struct {
	mu      sync.Mutex
	clients map[string]*client
	proxy   bool // the client's address is a reverse proxy's word
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

func newLimiter(perSecond float64, burst int, proxy bool) *limiter {
	return &limiter{clients: map[string]*client{}, proxy: proxy, every: rate.Limit(perSecond), burst: burst, swept: time.Now()}
}

// clientOf is the address that a request comes from. Behind a reverse proxy it is the last one of X-Forwarded-For: the one
// that the proxy added; those before it are the client's own word.
func clientOf(r *http.Request, proxy bool) string {
	if lines := r.Header.Values("X-Forwarded-For"); proxy && len(lines) > 0 {
		last := lines[len(lines)-1]
		return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// loopback reports whether an address is this machine's own.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// network is whom an address is counted to: in IPv6 one client has a whole /64.
func network(host string) string {
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Unmap().Is4() {
		return host
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return p.String()
}

// allow reports whether the request's client may go on.
func (l *limiter) allow(r *http.Request) bool {
	host := network(clientOf(r, l.proxy))
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
