//! A call of every tool, with the operations of GitHub's description that its requests must be.

/// The same of what only an installation of an app has.
pub(super) const INSTALLATION: &[(&str, &str, &[&str])] = &[(
    "list_installation_repositories",
    r#"{"page_size": 2, "cursor": "page=2"}"#,
    &["apps/list-repos-accessible-to-installation"],
)];

/// Tool, arguments, operations.
pub(super) const CALLS: &[(&str, &str, &[&str])] = &[
    (
        "add_assignees",
        r#"{"owner": "acme", "repo": "site", "number": 7, "assignees": ["octocat"]}"#,
        &["issues/add-assignees"],
    ),
    (
        "add_labels",
        r#"{"owner": "acme", "repo": "site", "number": 7, "labels": ["bug"]}"#,
        &["issues/add-labels"],
    ),
    (
        "cancel_workflow_run",
        r#"{"owner": "acme", "repo": "site", "run_id": 1}"#,
        &["actions/cancel-workflow-run"],
    ),
    (
        "compare_commits",
        r#"{"owner": "acme", "repo": "site", "base": "main", "head": "acme:feature", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/compare-commits"],
    ),
    (
        "create_branch",
        r#"{"owner": "acme", "repo": "site", "branch": "feature/a", "from": "main"}"#,
        &["repos/get-commit", "git/create-ref"],
    ),
    (
        "create_branch",
        r#"{"owner": "acme", "repo": "site", "branch": "b"}"#,
        &["repos/get-commit", "git/create-ref"],
    ),
    (
        "create_commit_status",
        r#"{"owner": "acme", "repo": "site", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "state": "success", "context": "ci/build", "description": "A site", "target_url": "https://ci.acme.example/1"}"#,
        &["repos/create-commit-status"],
    ),
    (
        "create_gist",
        r#"{"files": {"a.txt": "hello"}, "description": "A site", "public": true}"#,
        &["gists/create"],
    ),
    (
        "create_issue",
        r#"{"owner": "acme", "repo": "site", "title": "A title", "body": "Some *text*", "labels": ["bug"], "assignees": ["octocat"], "milestone": 1}"#,
        &["issues/create"],
    ),
    (
        "create_issue_comment",
        r#"{"owner": "acme", "repo": "site", "number": 7, "body": "Some *text*"}"#,
        &["issues/create-comment"],
    ),
    (
        "create_label",
        r#"{"owner": "acme", "repo": "site", "name": "site", "color": "f29513", "description": "A site"}"#,
        &["issues/create-label"],
    ),
    (
        "create_milestone",
        r#"{"owner": "acme", "repo": "site", "title": "A title", "description": "A site", "due_on": "2026-10-09T23:39:01Z"}"#,
        &["issues/create-milestone"],
    ),
    (
        "create_pull_request",
        r#"{"owner": "acme", "repo": "site", "title": "A title", "head": "acme:feature", "base": "main", "body": "Some *text*", "draft": false, "maintainer_can_modify": true}"#,
        &["pulls/create"],
    ),
    (
        "create_release",
        r#"{"owner": "acme", "repo": "site", "tag_name": "v1.0", "target_commitish": "main", "name": "site", "body": "Some *text*", "draft": false, "prerelease": false, "generate_release_notes": true}"#,
        &["repos/create-release"],
    ),
    (
        "create_repository",
        r#"{"name": "site", "description": "A site", "homepage": "https://acme.example/", "private": true, "auto_init": true, "gitignore_template": "Rust", "license_template": "mit"}"#,
        &["repos/create-for-authenticated-user"],
    ),
    ("create_repository", r#"{"organization": "acme", "name": "site"}"#, &["repos/create-in-org"]),
    (
        "create_review",
        r#"{"owner": "acme", "repo": "site", "number": 7, "event": "APPROVE", "body": "Some *text*", "comments": [{"path": "file1.txt", "line": 2, "side": "RIGHT", "start_line": 1, "start_side": "RIGHT", "body": "Why?"}], "commit_id": "6dcb09b5b57875f334f61aebed695e2e4193db5e"}"#,
        &["pulls/create-review"],
    ),
    (
        "create_review_comment",
        r#"{"owner": "acme", "repo": "site", "number": 7, "commit_id": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "path": "src/lib.rs", "line": 2, "side": "RIGHT", "start_line": 1, "start_side": "RIGHT", "body": "Some *text*"}"#,
        &["pulls/create-review-comment"],
    ),
    ("delete_branch", r#"{"owner": "acme", "repo": "site", "branch": "main"}"#, &["git/delete-ref"]),
    (
        "delete_file",
        r#"{"owner": "acme", "repo": "site", "path": "src/lib.rs", "message": "Say more", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "branch": "main"}"#,
        &["repos/delete-file"],
    ),
    ("delete_gist", r#"{"gist_id": "2decf6c462d9b4418f2"}"#, &["gists/delete"]),
    (
        "delete_issue_comment",
        r#"{"owner": "acme", "repo": "site", "comment_id": 1}"#,
        &["issues/delete-comment"],
    ),
    ("delete_label", r#"{"owner": "acme", "repo": "site", "name": "site"}"#, &["issues/delete-label"]),
    ("delete_milestone", r#"{"owner": "acme", "repo": "site", "number": 7}"#, &["issues/delete-milestone"]),
    ("delete_release", r#"{"owner": "acme", "repo": "site", "release_id": 1}"#, &["repos/delete-release"]),
    (
        "delete_release_asset",
        r#"{"owner": "acme", "repo": "site", "asset_id": 1}"#,
        &["repos/delete-release-asset"],
    ),
    (
        "delete_workflow_run",
        r#"{"owner": "acme", "repo": "site", "run_id": 1}"#,
        &["actions/delete-workflow-run"],
    ),
    (
        "dismiss_review",
        r#"{"owner": "acme", "repo": "site", "number": 7, "review_id": 80, "message": "Say more"}"#,
        &["pulls/dismiss-review"],
    ),
    (
        "dispatch_workflow",
        r#"{"owner": "acme", "repo": "site", "workflow": "deploy.yml", "revision": "main", "inputs": {"environment": "staging"}}"#,
        &["actions/create-workflow-dispatch"],
    ),
    (
        "download_archive",
        r#"{"owner": "acme", "repo": "site", "revision": "main", "format": "zip"}"#,
        &["repos/download-zipball-archive"],
    ),
    (
        "download_archive",
        r#"{"owner": "acme", "repo": "site", "format": "tar"}"#,
        &["repos/download-tarball-archive"],
    ),
    (
        "download_artifact",
        r#"{"owner": "acme", "repo": "site", "artifact_id": 1}"#,
        &["actions/download-artifact"],
    ),
    (
        "download_job_logs",
        r#"{"owner": "acme", "repo": "site", "job_id": 1}"#,
        &["actions/download-job-logs-for-workflow-run"],
    ),
    (
        "download_release_asset",
        r#"{"owner": "acme", "repo": "site", "asset_id": 1, "name": "site"}"#,
        &["repos/get-release-asset"],
    ),
    (
        "download_run_logs",
        r#"{"owner": "acme", "repo": "site", "run_id": 1}"#,
        &["actions/download-workflow-run-logs"],
    ),
    (
        "fork_repository",
        r#"{"owner": "acme", "repo": "site", "organization": "acme", "name": "site", "default_branch_only": true}"#,
        &["repos/create-fork"],
    ),
    ("get_authenticated_user", r#"{"whole": true}"#, &["users/get-authenticated"]),
    (
        "get_branch",
        r#"{"owner": "acme", "repo": "site", "branch": "main", "whole": true}"#,
        &["repos/get-branch"],
    ),
    (
        "get_combined_status",
        r#"{"owner": "acme", "repo": "site", "revision": "main", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/get-combined-status-for-ref"],
    ),
    (
        "get_commit",
        r#"{"owner": "acme", "repo": "site", "revision": "main", "whole": true}"#,
        &["repos/get-commit"],
    ),
    (
        "get_contents",
        r#"{"owner": "acme", "repo": "site", "path": "src/lib.rs", "revision": "main"}"#,
        &["repos/get-content"],
    ),
    ("get_gist", r#"{"gist_id": "2decf6c462d9b4418f2", "whole": true}"#, &["gists/get"]),
    ("get_issue", r#"{"owner": "acme", "repo": "site", "number": 7, "whole": true}"#, &["issues/get"]),
    (
        "get_issue_comment",
        r#"{"owner": "acme", "repo": "site", "comment_id": 1, "whole": true}"#,
        &["issues/get-comment"],
    ),
    (
        "get_latest_release",
        r#"{"owner": "acme", "repo": "site", "whole": true}"#,
        &["repos/get-latest-release"],
    ),
    (
        "get_milestone",
        r#"{"owner": "acme", "repo": "site", "number": 7, "whole": true}"#,
        &["issues/get-milestone"],
    ),
    ("get_organization", r#"{"organization": "acme", "whole": true}"#, &["orgs/get"]),
    ("get_pull_request", r#"{"owner": "acme", "repo": "site", "number": 7, "whole": true}"#, &["pulls/get"]),
    ("get_pull_request_diff", r#"{"owner": "acme", "repo": "site", "number": 7}"#, &["pulls/get"]),
    ("get_readme", r#"{"owner": "acme", "repo": "site", "revision": "main"}"#, &["repos/get-readme"]),
    (
        "get_release",
        r#"{"owner": "acme", "repo": "site", "release_id": 1, "whole": true}"#,
        &["repos/get-release"],
    ),
    (
        "get_release_by_tag",
        r#"{"owner": "acme", "repo": "site", "tag": "v1.0", "whole": true}"#,
        &["repos/get-release-by-tag"],
    ),
    ("get_repository", r#"{"owner": "acme", "repo": "site", "whole": true}"#, &["repos/get"]),
    ("get_user", r#"{"username": "octocat", "whole": true}"#, &["users/get-by-username"]),
    (
        "get_workflow_run",
        r#"{"owner": "acme", "repo": "site", "run_id": 1, "whole": true}"#,
        &["actions/get-workflow-run"],
    ),
    (
        "list_artifacts",
        r#"{"owner": "acme", "repo": "site", "run_id": 1, "page_size": 2, "cursor": "page=2"}"#,
        &["actions/list-workflow-run-artifacts"],
    ),
    (
        "list_assignees",
        r#"{"owner": "acme", "repo": "site", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list-assignees"],
    ),
    (
        "list_branches",
        r#"{"owner": "acme", "repo": "site", "protected": true, "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-branches"],
    ),
    (
        "list_check_runs",
        r#"{"owner": "acme", "repo": "site", "revision": "main", "check_name": "build", "status": "completed", "page_size": 2, "cursor": "page=2"}"#,
        &["checks/list-for-ref"],
    ),
    (
        "list_commits",
        r#"{"owner": "acme", "repo": "site", "revision": "main", "path": "src/lib.rs", "author": "octocat", "since": "2026-01-02T03:04:05Z", "until": "2026-02-03T04:05:06Z", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-commits"],
    ),
    (
        "list_gists",
        r#"{"since": "2026-01-02T03:04:05Z", "page_size": 2, "cursor": "page=2"}"#,
        &["gists/list"],
    ),
    ("list_gists", r#"{"username": "octocat"}"#, &["gists/list-for-user"]),
    (
        "list_issue_comments",
        r#"{"owner": "acme", "repo": "site", "number": 7, "since": "2026-01-02T03:04:05Z", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list-comments"],
    ),
    (
        "list_issues",
        r#"{"owner": "acme", "repo": "site", "state": "open", "labels": "bug,help wanted", "assignee": "octocat", "creator": "octocat", "mentioned": "octocat", "milestone": "*", "since": "2026-01-02T03:04:05Z", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list-for-repo"],
    ),
    (
        "list_labels",
        r#"{"owner": "acme", "repo": "site", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list-labels-for-repo"],
    ),
    (
        "list_milestones",
        r#"{"owner": "acme", "repo": "site", "state": "open", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list-milestones"],
    ),
    (
        "list_my_issues",
        r#"{"filter": "assigned", "state": "open", "labels": "bug", "since": "2026-01-02T03:04:05Z", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["issues/list"],
    ),
    (
        "list_my_organizations",
        r#"{"page_size": 2, "cursor": "page=2"}"#,
        &["orgs/list-for-authenticated-user"],
    ),
    (
        "list_notifications",
        r#"{"all": true, "participating": true, "since": "2026-01-02T03:04:05Z", "before": "2026-02-03T04:05:06Z", "page_size": 2, "cursor": "page=2"}"#,
        &["activity/list-notifications-for-authenticated-user"],
    ),
    (
        "list_organization_members",
        r#"{"organization": "acme", "role": "admin", "page_size": 2, "cursor": "page=2"}"#,
        &["orgs/list-members"],
    ),
    (
        "list_organization_repositories",
        r#"{"organization": "acme", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-for-org"],
    ),
    (
        "list_pull_request_commits",
        r#"{"owner": "acme", "repo": "site", "number": 7, "page_size": 2, "cursor": "page=2"}"#,
        &["pulls/list-commits"],
    ),
    (
        "list_pull_request_files",
        r#"{"owner": "acme", "repo": "site", "number": 7, "page_size": 2, "cursor": "page=2"}"#,
        &["pulls/list-files"],
    ),
    (
        "list_pull_requests",
        r#"{"owner": "acme", "repo": "site", "state": "open", "head": "acme:feature", "base": "main", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["pulls/list"],
    ),
    (
        "list_releases",
        r#"{"owner": "acme", "repo": "site", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-releases"],
    ),
    (
        "list_repositories",
        r#"{"visibility": "public", "affiliation": "owner,collaborator", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-for-authenticated-user"],
    ),
    (
        "list_review_comments",
        r#"{"owner": "acme", "repo": "site", "number": 7, "since": "2026-01-02T03:04:05Z", "page_size": 2, "cursor": "page=2"}"#,
        &["pulls/list-review-comments"],
    ),
    (
        "list_reviews",
        r#"{"owner": "acme", "repo": "site", "number": 7, "page_size": 2, "cursor": "page=2"}"#,
        &["pulls/list-reviews"],
    ),
    (
        "list_tags",
        r#"{"owner": "acme", "repo": "site", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-tags"],
    ),
    ("list_teams", r#"{"organization": "acme", "page_size": 2, "cursor": "page=2"}"#, &["teams/list"]),
    ("list_topics", r#"{"owner": "acme", "repo": "site"}"#, &["repos/get-all-topics"]),
    ("list_tree", r#"{"owner": "acme", "repo": "site", "revision": "main"}"#, &["git/get-tree"]),
    (
        "list_user_organizations",
        r#"{"username": "octocat", "page_size": 2, "cursor": "page=2"}"#,
        &["orgs/list-for-user"],
    ),
    (
        "list_user_repositories",
        r#"{"username": "octocat", "sort": "created", "direction": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["repos/list-for-user"],
    ),
    (
        "list_workflow_jobs",
        r#"{"owner": "acme", "repo": "site", "run_id": 1, "page_size": 2, "cursor": "page=2"}"#,
        &["actions/list-jobs-for-workflow-run"],
    ),
    (
        "list_workflow_runs",
        r#"{"owner": "acme", "repo": "site", "branch": "main", "actor": "octocat", "event": "APPROVE", "status": "completed", "head_sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "created": ">=2026-01-02", "page_size": 2, "cursor": "page=2"}"#,
        &["actions/list-workflow-runs-for-repo"],
    ),
    (
        "list_workflow_runs",
        r#"{"owner": "acme", "repo": "site", "workflow": "deploy.yml", "branch": "main", "actor": "octocat", "event": "APPROVE", "status": "completed", "head_sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "created": ">=2026-01-02", "page_size": 2, "cursor": "page=2"}"#,
        &["actions/list-workflow-runs"],
    ),
    (
        "list_workflows",
        r#"{"owner": "acme", "repo": "site", "page_size": 2, "cursor": "page=2"}"#,
        &["actions/list-repo-workflows"],
    ),
    (
        "lock_issue",
        r#"{"owner": "acme", "repo": "site", "number": 7, "reason": "resolved"}"#,
        &["issues/lock"],
    ),
    ("mark_notification_read", r#"{"thread_id": "1"}"#, &["activity/mark-thread-as-read"]),
    (
        "mark_notifications_read",
        r#"{"last_read_at": "2026-01-02T03:04:05Z"}"#,
        &["activity/mark-notifications-as-read"],
    ),
    (
        "mark_notifications_read",
        r#"{"repository": "acme/site", "last_read_at": "2026-01-02T03:04:05Z"}"#,
        &["activity/mark-repo-notifications-as-read"],
    ),
    (
        "merge_pull_request",
        r#"{"owner": "acme", "repo": "site", "number": 7, "method": "squash", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "commit_title": "A title", "commit_message": "Text"}"#,
        &["pulls/merge"],
    ),
    (
        "remove_assignees",
        r#"{"owner": "acme", "repo": "site", "number": 7, "assignees": ["octocat"]}"#,
        &["issues/remove-assignees"],
    ),
    (
        "remove_label",
        r#"{"owner": "acme", "repo": "site", "number": 7, "name": "site"}"#,
        &["issues/remove-label"],
    ),
    (
        "remove_requested_reviewers",
        r#"{"owner": "acme", "repo": "site", "number": 7, "reviewers": ["octocat"], "team_reviewers": ["justice-league"]}"#,
        &["pulls/remove-requested-reviewers"],
    ),
    (
        "replace_topics",
        r#"{"owner": "acme", "repo": "site", "names": ["rust", "cli"]}"#,
        &["repos/replace-all-topics"],
    ),
    (
        "reply_to_review_comment",
        r#"{"owner": "acme", "repo": "site", "number": 7, "comment_id": 1, "body": "Some *text*"}"#,
        &["pulls/create-reply-for-review-comment"],
    ),
    (
        "request_reviewers",
        r#"{"owner": "acme", "repo": "site", "number": 7, "reviewers": ["octocat"], "team_reviewers": ["justice-league"]}"#,
        &["pulls/request-reviewers"],
    ),
    (
        "rerun_workflow",
        r#"{"owner": "acme", "repo": "site", "run_id": 1, "only_failed": false}"#,
        &["actions/re-run-workflow"],
    ),
    (
        "rerun_workflow",
        r#"{"owner": "acme", "repo": "site", "run_id": 1, "only_failed": true}"#,
        &["actions/re-run-workflow-failed-jobs"],
    ),
    (
        "search_code",
        r#"{"query": "words repo:acme/site", "page_size": 2, "cursor": "page=2"}"#,
        &["search/code"],
    ),
    (
        "search_commits",
        r#"{"query": "words repo:acme/site", "sort": "author-date", "order": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["search/commits"],
    ),
    (
        "search_issues",
        r#"{"query": "words repo:acme/site", "sort": "reactions", "order": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["search/issues-and-pull-requests"],
    ),
    (
        "search_repositories",
        r#"{"query": "words repo:acme/site", "sort": "stars", "order": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["search/repos"],
    ),
    (
        "search_users",
        r#"{"query": "words repo:acme/site", "sort": "followers", "order": "asc", "page_size": 2, "cursor": "page=2"}"#,
        &["search/users"],
    ),
    (
        "submit_review",
        r#"{"owner": "acme", "repo": "site", "number": 7, "review_id": 80, "event": "APPROVE", "body": "Some *text*"}"#,
        &["pulls/submit-review"],
    ),
    ("sync_fork", r#"{"owner": "acme", "repo": "site", "branch": "main"}"#, &["repos/merge-upstream"]),
    ("unlock_issue", r#"{"owner": "acme", "repo": "site", "number": 7}"#, &["issues/unlock"]),
    (
        "update_gist",
        r#"{"gist_id": "2decf6c462d9b4418f2", "files": {"a.txt": "hello"}, "description": "A site"}"#,
        &["gists/update"],
    ),
    (
        "update_issue",
        r#"{"owner": "acme", "repo": "site", "number": 7, "title": "A title", "body": "Some *text*", "state": "open", "state_reason": "not_planned", "labels": ["bug"], "assignees": ["octocat"], "milestone": 1}"#,
        &["issues/update"],
    ),
    ("update_issue", r#"{"owner": "acme", "repo": "site", "number": 7, "labels": []}"#, &["issues/update"]),
    (
        "update_issue_comment",
        r#"{"owner": "acme", "repo": "site", "comment_id": 1, "body": "Some *text*"}"#,
        &["issues/update-comment"],
    ),
    (
        "update_label",
        r#"{"owner": "acme", "repo": "site", "name": "site", "new_name": "defect", "color": "f29513", "description": "A site"}"#,
        &["issues/update-label"],
    ),
    (
        "update_milestone",
        r#"{"owner": "acme", "repo": "site", "number": 7, "title": "A title", "state": "open", "description": "A site", "due_on": "2026-10-09T23:39:01Z"}"#,
        &["issues/update-milestone"],
    ),
    (
        "update_pull_request",
        r#"{"owner": "acme", "repo": "site", "number": 7, "title": "A title", "body": "Some *text*", "state": "open", "base": "main"}"#,
        &["pulls/update"],
    ),
    (
        "update_pull_request_branch",
        r#"{"owner": "acme", "repo": "site", "number": 7, "expected_head_sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"}"#,
        &["pulls/update-branch"],
    ),
    (
        "update_release",
        r#"{"owner": "acme", "repo": "site", "release_id": 1, "tag_name": "v1.0", "target_commitish": "main", "name": "site", "body": "Some *text*", "draft": false, "prerelease": false}"#,
        &["repos/update-release"],
    ),
    (
        "update_repository",
        r#"{"owner": "acme", "repo": "site", "name": "site", "description": "A site", "homepage": "https://acme.example/", "visibility": "public", "default_branch": "main", "archived": false, "has_issues": true, "has_wiki": true, "allow_squash_merge": true, "allow_merge_commit": true, "allow_rebase_merge": true, "allow_auto_merge": true, "delete_branch_on_merge": true}"#,
        &["repos/update"],
    ),
    (
        "upload_release_asset",
        r#"{"owner": "acme", "repo": "site", "release_id": 1, "file": {"base64": "aGVsbG8=", "name": "a.txt", "media_type": "text/plain"}, "label": "Sources"}"#,
        &["repos/upload-release-asset"],
    ),
    (
        "write_file",
        r#"{"owner": "acme", "repo": "site", "path": "src/lib.rs", "message": "Say more", "text": "hello", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "branch": "main"}"#,
        &["repos/create-or-update-file-contents"],
    ),
    (
        "write_file",
        r#"{"owner": "acme", "repo": "site", "path": "src/lib.rs", "message": "Say more", "file": {"base64": "aGVsbG8=", "name": "a.txt", "media_type": "text/plain"}}"#,
        &["repos/create-or-update-file-contents"],
    ),
];
