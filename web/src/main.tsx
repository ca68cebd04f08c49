import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { AgentApp } from './agent/agent-app.tsx';
import { App } from './app.tsx';
import './styles.css';

const queryClient = new QueryClient({
  defaultOptions: {
    // A refusal or a wrong key does not become right by asking again; the stream and the poll do.
    queries: { retry: false, staleTime: 500, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has lost its #root element');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      {location.pathname === '/agent' ? <AgentApp /> : <App />}
    </QueryClientProvider>
  </StrictMode>,
);
