{{/* What every pod of ours shares. Arguments: root, name (identity of the process), part, command, env, resources. */}}
{{- define "tallyport.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{- define "tallyport.labels" -}}
app.kubernetes.io/name: tallyport
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "tallyport.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "tallyport.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Environment that all processes share. */}}
{{- define "tallyport.env" -}}
{{- $root := .root -}}
- {name: TALLYPORT_ENVIRONMENT, value: {{ $root.Values.environment | quote }}}
{{- if $root.Values.testClocks }}
- {name: TALLYPORT_TEST_CLOCKS, value: "true"}
{{- end }}
- {name: TALLYPORT_LOG_LEVEL, value: {{ $root.Values.logLevel | quote }}}
- {name: TALLYPORT_METRICS_LISTEN, value: "0.0.0.0:9090"}
- {name: TALLYPORT_TRACE_SAMPLE_RATIO, value: {{ $root.Values.trace.sampleRatio | quote }}}
{{- with $root.Values.trace.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
- {name: TALLYPORT_TLS_CA_FILE, value: /run/tallyport/tls/ca.crt}
- {name: TALLYPORT_TLS_CERT_FILE, value: /run/tallyport/tls/tls.crt}
- {name: TALLYPORT_TLS_KEY_FILE, value: /run/tallyport/tls/tls.key}
- {name: TALLYPORT_TOKEN_JWKS_FILE, value: /run/tallyport/secrets/token-jwks}
{{- range $service, $_ := $root.Values.services }}
- {name: {{ printf "TALLYPORT_%s_ADDRESS" (upper $service) }}, value: {{ printf "%s-%s:7000" $root.Release.Name $service | quote }}}
{{- end }}
{{- end }}

{{- define "tallyport.secretEnv" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.secretName }}, key: {{ .key }}}
{{- end }}

{{/* Certificates, key files and a scratch folder. `keys` are the secret files this process may read. */}}
{{- define "tallyport.volumes" -}}
- name: tls
  secret:
    secretName: {{ .root.Release.Name }}-{{ .name }}-tls
    defaultMode: 0440
- name: secrets
  secret:
    secretName: {{ .root.Values.secretName }}
    defaultMode: 0440
    items:
      - {key: token-jwks, path: token-jwks}
      {{- range .keys }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
- name: scratch
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- end }}

{{- define "tallyport.volumeMounts" -}}
- {name: tls, mountPath: /run/tallyport/tls, readOnly: true}
- {name: secrets, mountPath: /run/tallyport/secrets, readOnly: true}
- {name: scratch, mountPath: /tmp}
{{- end }}

{{- define "tallyport.placement" -}}
automountServiceAccountToken: false
serviceAccountName: {{ .root.Release.Name }}-{{ .name }}
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext: {{- include "tallyport.podSecurityContext" . | nindent 2 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "tallyport.labels" . | nindent 8 }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tallyport.httpProbes" -}}
livenessProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 10
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  failureThreshold: 2
{{- end }}
