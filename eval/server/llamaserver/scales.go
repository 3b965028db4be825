package llamaserver

import (
	"context"
	"fmt"
	"math"
	"slices"

	"soup/eval"
)

// adapter is what the server says of a LoRA adapter.
type adapter struct {
	ID    int     `json:"id"`
	Path  string  `json:"path"`
	Scale float64 `json:"scale"`
}

// Adapters implements eval.Scaler.
func (s *Server) Adapters(ctx context.Context) ([]string, error) {
	now, err := s.session()
	if err != nil {
		return nil, err
	}
	list, err := now.adapters(ctx)
	var paths []string
	for _, a := range list {
		paths = append(paths, a.Path)
	}
	return paths, err
}

func (n *session) adapters(ctx context.Context) ([]adapter, error) {
	if n.model != "" {
		return nil, fmt.Errorf("%s: a router shows no adapters: start a server with one model and its --lora files", kind)
	}
	var list []adapter
	if err := n.client.Get(ctx, "/lora-adapters", &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b adapter) int { return a.ID - b.ID })
	return list, nil
}

// Scale implements eval.Scaler. The scales are those of all requests until they
// are changed again, also by somebody else.
func (s *Server) Scale(ctx context.Context, scales []float64) (eval.Version, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	now, err := s.session()
	if err != nil {
		return "", err
	}
	list, err := now.adapters(ctx)
	if err != nil {
		return "", err
	}
	if len(list) != len(scales) {
		return "", fmt.Errorf("%s: %d scales for the server's %d adapters", kind, len(scales), len(list))
	}
	for i, v := range scales {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", fmt.Errorf("%s: scale %g of %s", kind, v, list[i].Path)
		}
		list[i].Scale = v
	}
	if err := now.scale(ctx, list); err != nil {
		return "", err
	}
	return s.version(ctx, now)
}

// scale sends the scales and reads them back, in the float32 that they are held in.
func (n *session) scale(ctx context.Context, wanted []adapter) error {
	if err := n.client.Post(ctx, "/lora-adapters", wanted, nil); err != nil {
		return err
	}
	got, err := n.adapters(ctx)
	if err != nil {
		return err
	}
	for i, w := range wanted {
		if len(got) != len(wanted) || float32(got[i].Scale) != float32(w.Scale) {
			return n.odd(fmt.Sprintf("adapter %s should have scale %g, the server says %v", w.Path, w.Scale, got))
		}
	}
	return nil
}
